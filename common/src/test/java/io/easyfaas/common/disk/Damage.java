package io.easyfaas.common.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Random;

/// What may be found in the place of a file that the engine wrote.
public enum Damage {
  /// Nothing of it was written before the power failed.
  EMPTY {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.write(file, new byte[0]);
    }
  },
  /// Half of it was written.
  TRUNCATED {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.write(file, Arrays.copyOf(content, content.length / 2));
    }
  },
  /// As a file system leaves it whose journal has no data.
  ZEROS {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.write(file, new byte[content.length + 1]);
    }
  },
  /// Something that is no text in any encoding.
  GARBAGE {
    @Override
    void put(Path file, byte[] content) throws IOException {
      byte[] garbage = new byte[5000];
      new Random(7).nextBytes(garbage);
      Files.write(file, garbage);
    }
  },
  /// A text of something else.
  OTHER_TEXT {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.writeString(file, "{\"a\":[null,1e99]}");
    }
  },
  /// Something that says it is text in an encoding that nobody has.
  OTHER_ENCODING {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.write(file, new byte[] {0, '{', 0, 0, '}'});
    }
  },
  /// What JSON calls nothing.
  NULL {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.writeString(file, "null");
    }
  },
  /// A directory.
  DIRECTORY {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.createDirectory(file);
    }
  },
  /// A directory with something in it.
  FILLED_DIRECTORY {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.createDirectories(file.resolve("a/b"));
    }
  },
  /// A link to nowhere.
  DANGLING_LINK {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.createSymbolicLink(file, file.resolveSibling("nowhere"));
    }
  },
  /// A link to itself.
  LOOP {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.createSymbolicLink(file, file);
    }
  },
  /// A pipe that nobody writes into: who opens it waits.
  PIPE {
    @Override
    void put(Path file, byte[] content) throws IOException {
      try {
        int status = new ProcessBuilder("mkfifo", file.toString()).start().waitFor();
        if (status != 0) {
          throw new IOException("mkfifo " + file + ": status " + status);
        }
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  },
  /// A link to what has no end.
  ENDLESS {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.createSymbolicLink(file, Path.of("/dev/zero"));
    }
  },
  /// A file that may not be read, unless by root.
  UNREADABLE {
    @Override
    void put(Path file, byte[] content) throws IOException {
      Files.write(file, new byte[] {(byte) 0xFF});
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
    }
  };

  abstract void put(Path file, byte[] content) throws IOException;

  /// Puts it in the place of a file, which need not be there.
  public void to(Path file) throws IOException {
    byte[] content = Files.isRegularFile(file) ? Files.readAllBytes(file) : new byte[] {'7', '\n'};
    DiskTree.delete(file);
    put(file, content);
  }
}
