package io.easyfaas.funclet;

import io.easyfaas.common.http.EventLoops;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/// Funclet as a process of its own, closed in order by SIGTERM and SIGINT.
final class FuncletProcess {
  private FuncletProcess() {}

  /// Runs until a signal ends the process.
  public static void main(String[] args) throws InterruptedException {
    EventLoops loops = new EventLoops(1);
    Funclet funclet = Funclet.start(FuncletConfig.parse(List.of(args), Map.of()), loops);
    Runtime.getRuntime().addShutdownHook(new Thread(funclet::close, "stop"));
    new CountDownLatch(1).await();
  }
}
