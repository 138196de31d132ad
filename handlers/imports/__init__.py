"""Imports of files in S3 as commands: strategies, reading CSV and ZIP, jobs and rows."""
