"""What `./cqrs demo` and `./cqrs serve --demo-data` make of the samples."""
