package io.github.dl4jfuse.datasets;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.UUID;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches one file. It gets its name only when it is complete and its checksum is right; else nothing is left behind. */
final class Download {
    private static final Logger LOG = LoggerFactory.getLogger(Download.class);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long MEBIBYTE = 1L << 20;

    private Download() {}

    /**
     * Fetches a file by http or https.
     *
     * @param target the file to write; its folder is made if need be
     * @param byHand how to get the file by hand and where to put it, the rest of a sentence
     */
    static void fetch(URI address, Path target, Checksum checksum, String byHand) {
        fetch(address, target, checksum, byHand, PATIENCE);
    }

    /** Does the same with another limit on the time to connect and on the time without a single byte. */
    static void fetch(URI address, Path target, Checksum checksum, String byHand, Duration patience) {
        LOG.info("Downloading {} to {}", address, target);
        Path part = temporaryBeside(target);
        try {
            Files.createDirectories(part.getParent());
            receive(address, part, patience);
            checksum.verify(part);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new DataException(
                    fileName(address) + " could not be fetched from " + address + " (" + describe(e) + "): " + byHand,
                    e);
        } finally {
            deleteLeftover(part);
        }
    }

    /** Returns an unused name beside {@code target}; a file of that name is also deleted when the program is stopped. */
    static Path temporaryBeside(Path target) {
        Path part = target.toAbsolutePath().resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".part");
        part.toFile().deleteOnExit();
        return part;
    }

    /** Deletes a file if it is there; a failure to do so is logged, since another exception may be under way. */
    static void deleteLeftover(Path file) {
        try {
            if (Files.exists(file)) {
                Files.delete(file);
            }
        } catch (IOException e) {
            LOG.warn("The temporary file {} could not be deleted", file, e);
        }
    }

    private static void receive(URI address, Path part, Duration patience) throws IOException {
        URLConnection connection = address.toURL().openConnection();
        int millis = Math.toIntExact(patience.toMillis());
        connection.setConnectTimeout(millis);
        connection.setReadTimeout(millis);
        if (connection instanceof HttpURLConnection http && http.getResponseCode() != HttpURLConnection.HTTP_OK) {
            int answer = http.getResponseCode();
            http.disconnect();
            throw new IOException("the server answered with status " + answer);
        }
        long announced = connection.getContentLengthLong();
        long received;
        try (InputStream in = withProgress(connection.getInputStream(), fileName(address), announced)) {
            received = Files.copy(in, part);
        }
        if (announced >= 0 && received != announced) {
            throw new IOException("the connection ended after " + received + " of " + announced + " bytes");
        }
    }

    private static InputStream withProgress(InputStream in, String name, long announced) {
        if (!Terminal.isPresent()) {
            return in;
        }
        ProgressBarBuilder bar = ProgressBar.builder()
                .setTaskName(name)
                .setInitialMax(announced)
                .setUnit("MiB", MEBIBYTE)
                .showSpeed();
        return ProgressBar.wrap(in, bar);
    }

    private static String fileName(URI address) {
        String path = address.getPath();
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static String describe(IOException e) {
        return e.getClass() == IOException.class ? e.getMessage() : e.toString();
    }
}
