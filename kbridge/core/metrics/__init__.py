"""What is watched while training: running numbers that stay on the device until someone looks."""
