"""The survey of locks as one HTML file with a picture, which needs nothing but a browser."""
