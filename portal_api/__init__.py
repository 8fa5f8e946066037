"""The portal's own API, its pages, and the place where everything is put together."""
