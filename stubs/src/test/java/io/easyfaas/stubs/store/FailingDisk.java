package io.easyfaas.stubs.store;

import static java.nio.file.StandardOpenOption.CREATE_NEW;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// The local disk until a given operation, which fails: once, as when the disk is full for a
/// moment, or with everything after it, as when the machine stops. A write that fails leaves half
/// of the file. Or a full one, on which nothing new can be made until something is removed. Not
/// thread-safe.
final class FailingDisk implements Disk {
  private final Disk disk = new LocalDisk();
  private boolean isFull;
  private boolean isFullUntilARemoval;
  private final int failAt;
  private final boolean forEver;
  private final String message;
  private int operations;
  private int listings;
  private boolean refusesListings;

  private FailingDisk(int failAt, boolean forEver, String message) {
    this.failAt = failAt;
    this.forEver = forEver;
    this.message = message;
  }

  /// Every operation from this one on fails; the first has number 0.
  static FailingDisk stopsAt(int operation) {
    return new FailingDisk(operation, true, "the machine stopped");
  }

  /// This operation alone fails, for want of space.
  static FailingDisk fullAt(int operation) {
    return new FailingDisk(operation, false, "No space left on device");
  }

  /// Nothing more can be written, made or renamed from now on; only removing works.
  void fill(boolean full) {
    isFull = full;
  }

  /// As {@link #fill}, until something is removed.
  void fillUntilARemoval() {
    isFull = true;
    isFullUntilARemoval = true;
  }

  /// No directory can be listed from now on.
  void refuseListings() {
    refusesListings = true;
  }

  /// Nothing fails, and nothing is waited for: to prepare a directory quickly.
  static FailingDisk neverFails() {
    return new FailingDisk(Integer.MAX_VALUE, false, "");
  }

  /// Whether the operation that was to fail was reached.
  boolean hasFailed() {
    return operations > failAt;
  }

  /// How many directories were listed so far.
  int listings() {
    return listings;
  }

  @Override
  public List<Path> children(Path directory) throws IOException {
    listings++;
    if (refusesListings) {
      throw new IOException("listing " + directory + " failed");
    }
    return disk.children(directory);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    step();
    refuseIfFull();
    disk.createDirectories(directory);
  }

  @Override
  public void write(Path file, byte[] content) throws IOException {
    refuseIfFull();
    try {
      step();
    } catch (IOException e) {
      if (operations == failAt + 1) {
        Files.write(file, Arrays.copyOf(content, content.length / 2), CREATE_NEW);
      }
      throw e;
    }
    Files.write(file, content, CREATE_NEW);
  }

  @Override
  public FileChannel create(Path file) throws IOException {
    step();
    return disk.create(file);
  }

  @Override
  public void sync(FileChannel file) throws IOException {
    step();
  }

  @Override
  public void link(Path existing, Path name) throws IOException {
    step();
    refuseIfFull();
    disk.link(existing, name);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    step();
    refuseIfFull();
    disk.move(from, to);
  }

  @Override
  public void delete(Path path) throws IOException {
    step();
    disk.delete(path);
    if (isFullUntilARemoval) {
      isFull = false;
      isFullUntilARemoval = false;
    }
  }

  @Override
  public void sync(Path directory) throws IOException {
    step(); // Only a machine that really stops could tell what was waited for.
  }

  private void refuseIfFull() throws IOException {
    if (isFull) {
      throw new IOException("No space left on device");
    }
  }

  private void step() throws IOException {
    int operation = operations++;
    if (operation == failAt || (forEver && operation > failAt)) {
      throw new IOException(message);
    }
  }
}
