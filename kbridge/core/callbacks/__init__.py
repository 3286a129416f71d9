"""What is called while a model trains, is evaluated, or predicts."""
