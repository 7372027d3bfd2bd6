"""Awarding's decisions: values in, values out."""
