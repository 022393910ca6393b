package io.easyfaas.funclet.container;

import io.easyfaas.funclet.launch.LaunchReport;
import io.easyfaas.funclet.launch.Launcher;
import io.easyfaas.funclet.launch.LauncherCommand;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// Records argument vectors and answers as scripted, else with success. Thread-safe.
final class FakeLauncher implements Launcher {
  final List<List<String>> commands = new CopyOnWriteArrayList<>();
  private final Map<String, Deque<LaunchReport>> script = new ConcurrentHashMap<>();
  private final AtomicLong pids = new AtomicLong(1000);
  private volatile Consumer<LauncherCommand> before = _ -> {};

  /// The next answer to a verb.
  FakeLauncher answers(String verb, LaunchReport report) {
    script.computeIfAbsent(verb, _ -> new ConcurrentLinkedDeque<>()).add(report);
    return this;
  }

  FakeLauncher refuses(String verb) {
    return answers(verb, new LaunchReport.Refused(verb + "-step", 1, "EPERM", "/x"));
  }

  /// Runs on the caller's thread before a command is answered.
  void beforeEach(Consumer<LauncherCommand> action) {
    before = action;
  }

  /// The verbs so far, for one slot or all.
  List<String> verbs() {
    return commands.stream().map(List::getFirst).toList();
  }

  @Override
  public Pending send(LauncherCommand command) {
    LaunchReport report = carryOut(command);
    return _ -> report;
  }

  private LaunchReport carryOut(LauncherCommand command) {
    commands.add(command.arguments());
    before.accept(command);
    Deque<LaunchReport> answers = script.get(command.arguments().getFirst());
    LaunchReport scripted = answers == null ? null : answers.poll();
    return scripted == null ? new LaunchReport.Done(pids.incrementAndGet()) : scripted;
  }

  @Override
  public void close() {}
}
