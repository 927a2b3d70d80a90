package io.github.dl4jfuse.datasets;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/**
 * A binary file that is read from its beginning to its end, unpacked on the way where its name ends in ".gz". Whatever is
 * wrong with it becomes a {@link DataException} that names the file and the byte (counted in the unpacked content).
 */
final class DataFile implements Closeable {
    private static final int FIRST_PIECE = 1 << 16;

    private final String name;
    private final String remedy;
    private final boolean packed;
    private final InputStream in;
    private long position;

    private DataFile(String name, InputStream in, String remedy) {
        this.name = name;
        this.remedy = remedy;
        this.packed = name.endsWith(".gz");
        try {
            this.in = packed ? unpack(in) : new BufferedInputStream(in);
        } catch (IOException e) {
            closeQuietly(in, e);
            throw new DataException(
                    sentence(0, "a file packed by gzip", "something else (" + e.getMessage() + ")") + " " + remedy, e);
        }
    }

    /** Opens a file; {@code remedy} is the sentence that ends each message: how to get a good copy. */
    static DataFile open(Path file, String remedy) {
        InputStream in;
        try {
            in = Files.newInputStream(file);
        } catch (IOException e) {
            throw new DataException("The file " + file + " cannot be opened (" + e + "). " + remedy, e);
        }
        return new DataFile(file.toString(), in, remedy);
    }

    /** Opens a resource that lies beside this class. */
    static DataFile ofResource(String resource, String remedy) {
        InputStream in = DataFile.class.getResourceAsStream(resource);
        if (in == null) {
            throw new DataException("The resource " + resource + " is missing. " + remedy);
        }
        return new DataFile(resource, in, remedy);
    }

    /** Returns a stream of the unpacked content, which fails on a wrong checksum and on bytes after the packed data. */
    static InputStream unpack(InputStream gzip) throws IOException {
        return new BufferedInputStream(new GzipCompressorInputStream(new BufferedInputStream(gzip, FIRST_PIECE), true));
    }

    /** Reads a number of four bytes, highest byte first. */
    int readInt(String what) {
        byte[] bytes = readExactly(Integer.BYTES, what);
        int value = 0;
        for (byte b : bytes) {
            value = (value << 8) | (b & 0xFF);
        }
        return value;
    }

    /** Reads {@code length} bytes, which must be there. */
    byte[] readExactly(int length, String what) {
        long start = position;
        byte[] bytes = readAtMost(length, what);
        if (bytes.length < length) {
            String found = bytes.length == 0 ? "the end of the file" : "only " + bytes.length + " bytes";
            throw problem(start, length + " bytes of " + what, found);
        }
        return bytes;
    }

    /** Reads {@code limit} bytes, or as many as are left. */
    byte[] readAtMost(int limit, String what) {
        // The length comes from the file itself, so memory is taken only as bytes really arrive.
        byte[] bytes = new byte[Math.min(limit, FIRST_PIECE)];
        int filled = 0;
        while (filled < limit) {
            if (filled == bytes.length) {
                bytes = longer(bytes, limit, what);
            }
            int count = read(bytes, filled, bytes.length - filled, what);
            if (count < 0) {
                break;
            }
            filled += count;
        }
        return filled == bytes.length ? bytes : Arrays.copyOf(bytes, filled);
    }

    private byte[] longer(byte[] bytes, int limit, String what) {
        try {
            return Arrays.copyOf(bytes, (int) Math.min(limit, 2L * bytes.length));
        } catch (OutOfMemoryError e) {
            throw new DataException(
                    "The file " + name + " promises " + limit + " bytes of " + what + ", for which Java's memory is too"
                            + " small: give it more (-Xmx4g) if that number can be right. " + remedy,
                    e);
        }
    }

    /** Fails if anything is left to read. */
    void expectEnd() {
        long start = position;
        byte[] one = new byte[1];
        if (read(one, 0, 1, "the end of the file") >= 0) {
            throw problem(start, "the end of the file", "further bytes");
        }
    }

    /** Returns the exception for something that is not as it should be at {@code offset}. */
    DataException problem(long offset, String expected, String found) {
        return new DataException(sentence(offset, expected, found) + " " + remedy);
    }

    private int read(byte[] target, int offset, int length, String what) {
        try {
            int count = in.read(target, offset, length);
            position += Math.max(count, 0);
            return count;
        } catch (IOException e) {
            throw new DataException(sentence(position, what, "damaged or missing data (" + e + ")") + " " + remedy, e);
        }
    }

    private String sentence(long offset, String expected, String found) {
        return "The file " + name + " is not as expected: at byte " + offset
                + (packed ? " of its unpacked content" : "") + ", expected " + expected + " but found " + found + ".";
    }

    private static void closeQuietly(InputStream in, IOException reason) {
        try {
            in.close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw new DataException("The file " + name + " cannot be closed (" + e + "). " + remedy, e);
        }
    }
}
