"""Of pyboot.utils, models have pyboot.utils.db."""
