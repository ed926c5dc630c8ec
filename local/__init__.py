"""What one machine needs beside the template: the provider twin, the embedded AWS and the demo."""
