package io.github.dl4jfuse.datasets;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.Deflater;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;

/**
 * Makes the subset of Fashion-MNIST that lies in the jar: the first images of each class, in the order of the original
 * files; or a part that is smaller to carry than the whole: the first training images and the whole test set. The same
 * input gives the same bytes each time, as the gzip headers hold no time.
 */
public final class FashionMnistSubset {
    private static final int UNKNOWN = 255; // operating system, RFC 1952
    private static final int TRAIN_PER_CLASS = 600;
    private static final int TEST_PER_CLASS = 100;

    private FashionMnistSubset() {}

    /**
     * Writes four idx files, packed by gzip.
     *
     * @param args the folder that holds the full data set, and the folder to write to; then nothing for the subset, or
     *     "part" for the first {@value FashionMnistFiles#PART_TRAIN} training images and all test images
     * @throws IOException if the files cannot be written
     */
    public static void main(String[] args) throws IOException {
        boolean part = args.length == 3 && args[2].equals("part");
        if (args.length != 2 && !part) {
            throw new IllegalArgumentException(
                    "Two folders are needed, the one of the full Fashion-MNIST and the one to"
                            + " write to; then nothing, or the word part.");
        }
        if (part) {
            writeFirst(Path.of(args[0]), Path.of(args[1]), FashionMnistFiles.PART_TRAIN);
        } else {
            write(Path.of(args[0]), Path.of(args[1]), TRAIN_PER_CLASS, TEST_PER_CLASS);
        }
    }

    /** Writes the first training images and the whole test set. */
    static void writeFirst(Path source, Path target, int train) throws IOException {
        Files.createDirectories(target);
        FashionMnistFiles set = FashionMnistFiles.official();
        String remedy = set.remedy(DataFolders.require(source, set));
        writeFirst(source, target, FashionMnistFiles.TRAIN_IMAGES, FashionMnistFiles.TRAIN_LABELS, train, remedy);
        writeFirst(
                source,
                target,
                FashionMnistFiles.TEST_IMAGES,
                FashionMnistFiles.TEST_LABELS,
                Integer.MAX_VALUE,
                remedy);
    }

    private static void writeFirst(
            Path source, Path target, String imagesName, String labelsName, int most, String remedy)
            throws IOException {
        byte[] labels = labels(source, labelsName, remedy);
        byte[] pixels = pixels(source, imagesName, labels.length, remedy);
        int count = Math.min(most, labels.length);
        write(
                target,
                imagesName,
                labelsName,
                count,
                Arrays.copyOf(pixels, count * FashionMnist.SHAPE.length()),
                Arrays.copyOf(labels, count));
    }

    private static byte[] labels(Path source, String name, String remedy) {
        try (DataFile file = DataFile.open(FashionMnistFiles.locate(source, name), remedy)) {
            return IdxFile.readLabels(file, FashionMnist.LABEL_NAMES.size());
        }
    }

    private static byte[] pixels(Path source, String name, int count, String remedy) {
        try (DataFile file = DataFile.open(FashionMnistFiles.locate(source, name), remedy)) {
            return IdxFile.readImages(file, count, FashionMnist.SHAPE);
        }
    }

    /** Writes a subset of the given numbers of images per class. */
    static void write(Path source, Path target, int trainPerClass, int testPerClass) throws IOException {
        Files.createDirectories(target);
        FashionMnistFiles set = FashionMnistFiles.official();
        String remedy = set.remedy(DataFolders.require(source, set));
        writePart(
                source, target, FashionMnistFiles.TRAIN_IMAGES, FashionMnistFiles.TRAIN_LABELS, trainPerClass, remedy);
        writePart(source, target, FashionMnistFiles.TEST_IMAGES, FashionMnistFiles.TEST_LABELS, testPerClass, remedy);
    }

    private static void writePart(
            Path source, Path target, String imagesName, String labelsName, int perClass, String remedy)
            throws IOException {
        int classes = FashionMnist.LABEL_NAMES.size();
        byte[] labels = labels(source, labelsName, remedy);
        byte[] pixels = pixels(source, imagesName, labels.length, remedy);

        int length = FashionMnist.SHAPE.length();
        int[] taken = new int[classes];
        ByteArrayOutputStream chosenLabels = new ByteArrayOutputStream();
        ByteArrayOutputStream chosenPixels = new ByteArrayOutputStream();
        for (int i = 0; i < labels.length; i++) {
            if (taken[labels[i]] < perClass) {
                taken[labels[i]]++;
                chosenLabels.write(labels[i]);
                chosenPixels.write(pixels, i * length, length);
            }
        }
        for (int label = 0; label < classes; label++) {
            if (taken[label] < perClass) {
                throw new DataException("The file " + FashionMnistFiles.locate(source, labelsName) + " holds "
                        + taken[label] + " images of class " + label + ", but " + perClass + " are needed. " + remedy);
            }
        }

        write(
                target,
                imagesName,
                labelsName,
                perClass * classes,
                chosenPixels.toByteArray(),
                chosenLabels.toByteArray());
    }

    private static void write(
            Path target, String imagesName, String labelsName, int count, byte[] pixels, byte[] labels)
            throws IOException {
        int[] imageHeader = {IdxFile.IMAGES_MAGIC, count, FashionMnist.SHAPE.height(), FashionMnist.SHAPE.width()};
        writeGzip(target.resolve(imagesName + ".gz"), imageHeader, pixels);
        writeGzip(target.resolve(labelsName + ".gz"), new int[] {IdxFile.LABELS_MAGIC, count}, labels);
    }

    private static void writeGzip(Path file, int[] header, byte[] content) throws IOException {
        GzipParameters parameters = new GzipParameters();
        parameters.setCompressionLevel(Deflater.BEST_COMPRESSION);
        parameters.setModificationTime(0);
        parameters.setOperatingSystem(UNKNOWN);
        try (DataOutputStream out =
                new DataOutputStream(new GzipCompressorOutputStream(Files.newOutputStream(file), parameters))) {
            for (int value : header) {
                out.writeInt(value);
            }
            out.write(content);
        }
    }
}
