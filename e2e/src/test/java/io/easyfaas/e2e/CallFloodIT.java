package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// One account with more functions, calls or processes than there are slots, places to wait and
/// processors.
@EndToEnd
final class CallFloodIT {
  private static final int SLEEPERS = 14;
  private static final int FUNCTIONS = 20;
  private static final int CALLS = 1400;
  private static final int CHAINED = 8;

  private static final String SLEEP =
      "exports.handler = (event) => new Promise((done) => setTimeout(() => done(1), event));";

  private static final String BOMB =
      """
      import os
      def handler(event, context):
          while True:
              try:
                  os.fork()
              except OSError:
                  pass
              b = bytearray(200_000)
              for i in range(0, len(b), 4096):
                  b[i] = 1
      """;

  // Some are nice: threads of unequal weight are what Linux shares the processor out wrongly for.
  private static final String CHAINS =
      """
      import os
      def handler(event, context):
          for chain in range(20):
              if os.fork() == 0:
                  os.nice(chain % 4)
                  while True:
                      if os.fork():
                          os._exit(0)
          return 1
      """;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void sleepersInEverySlotButOne() {
    EngineProcess engine = LEAKS.home().startShipped("--container-num=10");
    List<RawClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < SLEEPERS; i++) {
        engine.create(FunctionSpec.node("sleeper-" + i, SLEEP).withTimeout(60));
        clients.add(call(engine, "sleeper-" + i, 20_000));
      }

      // Nobody else has called before.
      firstCall(engine, "late");
    } finally {
      clients.forEach(RawClient::abort);
    }
  }

  @Test
  void moreCallsOfManyFunctionsThanMayWait() {
    EngineProcess engine = LEAKS.home().startShipped("--container-num=6");
    for (int i = 0; i < FUNCTIONS; i++) {
      engine.create(FunctionSpec.node("crowd-" + i, SLEEP).withTimeout(3));
    }

    new Siege(engine, Innocent.modest(engine), Innocent.browser(engine))
        .survives(clients -> {
          for (int i = 0; i < CALLS; i++) {
            clients.add(call(engine, "crowd-" + i % FUNCTIONS, 200));
          }
          firstCall(engine, "fresh");
          Siege.hold();
        });
  }

  @Test
  void forkBombsThatAreOutOfMemory() {
    EngineProcess engine = LEAKS.home().startShipped("--container-num=6");
    for (int i = 0; i < 2; i++) {
      engine.create(FunctionSpec.python("bomb-" + i, BOMB).withTimeout(3));
    }

    new Siege(engine, Innocent.modest(engine))
        .survives(() -> {
          try (RawClient one = call(engine, "bomb-0", 1);
              RawClient two = call(engine, "bomb-1", 1)) {
            firstCall(engine, "fresh");
            for (RawClient bomb : List.of(one, two)) {
              RawClient.Reply reply = bomb.read(Duration.ofSeconds(30));
              assertThat(reply.status()).describedAs("%s", reply).isEqualTo(200);
            }
          }
        });
  }

  @Test
  void processesThatComeAndGoInEverySlotButTwo() {
    EngineProcess engine = LEAKS.home().startShipped("--container-num=" + (CHAINED + 2));
    for (int i = 0; i < CHAINED; i++) {
      engine.create(FunctionSpec.python("chains-" + i, CHAINS).withTimeout(3));
    }

    new Siege(engine, Innocent.modest(engine))
        .survives(clients -> {
          for (int i = 0; i < CHAINED; i++) {
            clients.add(call(engine, "chains-" + i, 1));
          }
          Siege.hold();
        });
  }

  /// An account's first call of its only function is answered.
  private static void firstCall(EngineProcess engine, String account) {
    Answer created = engine.tryCreate(account, FunctionSpec.node("first", SLEEP));
    assertThat(created.status()).describedAs("%s", created).isEqualTo(200);
    try (RawClient client = RawClient.connect(engine.home().port())) {
      RawClient.Reply reply =
          client.send(RawClient.invocation(account, "first", 1) + "1").read(Duration.ofSeconds(30));
      assertThat(reply.status()).describedAs("%s", reply).isEqualTo(200);
    }
  }

  private static RawClient call(EngineProcess engine, String name, int millis) {
    String event = "" + millis;
    return RawClient.connect(engine.home().port())
        .send(RawClient.invocation(name, event.length()) + event);
  }
}
