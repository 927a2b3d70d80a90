package io.github.dl4jfuse.datasets;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Makes small synthetic files in the formats of the data sets. */
public final class SampleFiles {
    static final int CIFAR_RECORD = 3073;

    private SampleFiles() {}

    /** An idx file of labels. */
    public static byte[] idxLabels(int... labels) {
        ByteBuffer buffer = ByteBuffer.allocate(8 + labels.length);
        buffer.putInt(0x0801).putInt(labels.length);
        for (int label : labels) {
            buffer.put((byte) label);
        }
        return buffer.array();
    }

    /** An idx file of images; pixel p of image i has the value (i + p) modulo 256. */
    public static byte[] idxImages(int count, int rows, int columns) {
        ByteBuffer buffer = ByteBuffer.allocate(16 + count * rows * columns);
        buffer.putInt(0x0803).putInt(count).putInt(rows).putInt(columns);
        for (int i = 0; i < count; i++) {
            for (int p = 0; p < rows * columns; p++) {
                buffer.put((byte) (i + p));
            }
        }
        return buffer.array();
    }

    /** The four files of a tiny Fashion-MNIST: training labels 0 to 9, then 0 to 4; test labels 9 to 5. */
    static Map<String, byte[]> fashionMnist() {
        Map<String, byte[]> files = new TreeMap<>();
        files.put("train-labels-idx1-ubyte", idxLabels(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4));
        files.put("train-images-idx3-ubyte", idxImages(15, 28, 28));
        files.put("t10k-labels-idx1-ubyte", idxLabels(9, 8, 7, 6, 5));
        files.put("t10k-images-idx3-ubyte", idxImages(5, 28, 28));
        return files;
    }

    public static void writePlain(Path folder, Map<String, byte[]> files) throws IOException {
        Files.createDirectories(folder);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Files.write(folder.resolve(file.getKey()), file.getValue());
        }
    }

    static void writePacked(Path folder, Map<String, byte[]> files) throws IOException {
        Files.createDirectories(folder);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Files.write(folder.resolve(file.getKey() + ".gz"), gzip(file.getValue()));
        }
    }

    /** One CIFAR-10 record whose planes are red, green, blue, except that the first pixel is 1, 2, 3. */
    static byte[] cifarRecord(int label, int red, int green, int blue) {
        ByteBuffer record = ByteBuffer.allocate(CIFAR_RECORD);
        record.put((byte) label);
        int[] planes = {red, green, blue};
        for (int plane = 0; plane < 3; plane++) {
            record.put((byte) (plane + 1));
            for (int p = 1; p < 1024; p++) {
                record.put((byte) planes[plane]);
            }
        }
        return record.array();
    }

    static byte[] concat(byte[]... pieces) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            all.writeBytes(piece);
        }
        return all.toByteArray();
    }

    /** Batches of CIFAR-10: batch k (1 to 5) holds records of label k and k - 1; the test batch one of label 9. */
    static Map<String, byte[]> cifarBatches() {
        Map<String, byte[]> files = new TreeMap<>();
        for (int k = 1; k <= 5; k++) {
            files.put(
                    "data_batch_" + k + ".bin",
                    concat(cifarRecord(k, 10 * k, 100 + k, 200 + k), cifarRecord(k - 1, k, k, k)));
        }
        files.put("test_batch.bin", cifarRecord(9, 255, 0, 128));
        return files;
    }

    static byte[] gzip(byte[] content) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(packed)) {
            out.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return packed.toByteArray();
    }

    /** A tar.gz archive of the given entries. */
    static byte[] tarGz(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(tar, StandardCharsets.UTF_8.name())) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                TarArchiveEntry header = new TarArchiveEntry(entry.getKey(), true);
                header.setSize(entry.getValue().length);
                out.putArchiveEntry(header);
                out.write(entry.getValue());
                out.closeArchiveEntry();
            }
        }
        return gzip(tar.toByteArray());
    }

    static String digest(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The names of everything in a folder, sorted; an empty list if there is no such folder. */
    static List<String> namesIn(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (var entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
