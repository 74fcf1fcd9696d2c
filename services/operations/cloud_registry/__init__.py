"""The cloud registry itself: its creation, what it needs for connected registries, its images, and its deletion."""
