"""What the stack can do: a module per capability with its functions, their permissions, machines and event sources."""
