"""Code that every submission shares. It imports nothing from `workflow/`, since it runs inside images."""
