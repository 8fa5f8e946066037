"""The portal's JSON routes, one file per kind of user."""
