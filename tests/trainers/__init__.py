"""What is exported, given to the trainers that it is for, each in a virtual environment of its own."""
