"""Of pyboot.utils.db, models have pyboot.utils.db.dbpool."""
