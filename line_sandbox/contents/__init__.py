"""Contents of messages that users sent: images, videos, audio, files."""
