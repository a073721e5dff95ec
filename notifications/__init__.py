"""WHO IS TOLD: devices, topics, audiences, messages, alerts and their dispatch."""
