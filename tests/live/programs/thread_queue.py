# Threads that hand numbers to each other through queues, and wait on a lock and a condition.
import queue
import threading

work = queue.Queue(10)
done = queue.Queue(10)
condition = threading.Condition()
total = 0


def produce():
    n = 0
    while True:
        n += 1
        work.put(n)


def consume():
    global total
    while True:
        n = work.get()
        with condition:
            total += n
            condition.notify_all()
        done.put(n)


for each in (produce, consume, consume, consume):
    threading.Thread(target=each, daemon=True).start()
got = set()
lowest = 1
reported = 0
while True:
    n = done.get()
    if n in got or n < lowest:
        print("BAD twice", n, flush=True)
    got.add(n)
    while lowest in got:
        got.remove(lowest)
        lowest += 1
    if lowest > reported + 1000:
        reported += 1000
        print("round", reported, flush=True)
        with condition:
            condition.wait(0.01)
