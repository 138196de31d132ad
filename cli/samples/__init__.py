"""Input from the samples for `./cqrs demo` and `./cqrs serve --demo-data`."""
