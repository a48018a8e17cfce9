/** Threads that make garbage, and one that counts: "n 1", "n 2", ... through a queue. */
public class Queue {
  public static void main(String[] arguments) throws Exception {
    var queue = new java.util.concurrent.LinkedBlockingQueue<Integer>();
    for (int i = 0; i < 3; i++) start(() -> garbage());
    start(() -> {
      for (int i = 1; ; i++) {
        queue.put(i);
        Thread.sleep(20);
      }
    });
    while (true) System.out.println("n " + queue.take());
  }

  interface Work {
    void run() throws Exception;
  }

  static void start(Work work) {
    new Thread(() -> {
      try {
        work.run();
      } catch (Exception error) {
        System.out.println(error);
      }
    }).start();
  }

  static void garbage() throws Exception {
    for (int i = 0; ; i++) {
      byte[] bytes = new byte[100_000];
      java.util.Arrays.fill(bytes, (byte) i);
      if (bytes[i % bytes.length] != (byte) i) System.out.println("garbled");
      Thread.sleep(2);
    }
  }
}
