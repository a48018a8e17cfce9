# A transaction of sqlite that stays open until a file is there: 1000 rows before, one after.
# usage: transaction.py JOURNAL-MODE DATABASE FILE
import os
import sqlite3
import sys
import time

mode, path, end = sys.argv[1:]
database = sqlite3.connect(path, isolation_level=None)
database.execute(f"PRAGMA journal_mode = {mode}")
database.execute("CREATE TABLE numbers (n INTEGER)")
database.execute("BEGIN IMMEDIATE")
database.executemany("INSERT INTO numbers VALUES (?)", ((n,) for n in range(1000)))
print("open", flush=True)
while not os.path.exists(end):
    time.sleep(0.01)
database.execute("INSERT INTO numbers VALUES (1000)")
database.execute("COMMIT")
print("committed", *database.execute("SELECT count(*), sum(n) FROM numbers").fetchone(), flush=True)
