# Computes x -> a x + c modulo a prime without end, and prints what it has now and then.
n = 0
x = 1
while True:
    for _ in range(20_000):
        x = (0x5DEECE66D * x + 11) % (2**61 - 1)
    n += 1
    print("n", n, x, flush=True)
