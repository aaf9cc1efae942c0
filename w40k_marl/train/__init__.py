"""Learning and evaluation, with stable-baselines3 and sb3-contrib: the extra ``train``."""
