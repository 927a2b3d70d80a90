package io.github.dl4jfuse.datasets;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private static final int ALL = Integer.MAX_VALUE;

    /** The first images of a file, of each class no more than so many. */
    private record Part(int most, int perClass) {}

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
        write(source, target, new Part(train, ALL), new Part(ALL, ALL));
    }

    /** Writes a subset of the given numbers of images per class. */
    static void write(Path source, Path target, int trainPerClass, int testPerClass) throws IOException {
        write(source, target, new Part(ALL, trainPerClass), new Part(ALL, testPerClass));
    }

    private static void write(Path source, Path target, Part train, Part test) throws IOException {
        Files.createDirectories(target);
        FashionMnistFiles set = FashionMnistFiles.official();
        String remedy = set.remedy(DataFolders.require(source, set));
        write(source, target, FashionMnistFiles.TRAIN_IMAGES, FashionMnistFiles.TRAIN_LABELS, train, remedy);
        write(source, target, FashionMnistFiles.TEST_IMAGES, FashionMnistFiles.TEST_LABELS, test, remedy);
    }

    private static void write(Path source, Path target, String imagesName, String labelsName, Part part, String remedy)
            throws IOException {
        Path labelsFile = FashionMnistFiles.locate(source, labelsName);
        int classes = FashionMnist.LABEL_NAMES.size();
        byte[] labels;
        try (DataFile file = DataFile.open(labelsFile, remedy)) {
            labels = IdxFile.readLabels(file, classes);
        }
        byte[] pixels;
        try (DataFile file = DataFile.open(FashionMnistFiles.locate(source, imagesName), remedy)) {
            pixels = IdxFile.readImages(file, labels.length, FashionMnist.SHAPE);
        }
        int length = FashionMnist.SHAPE.length();
        int[] taken = new int[classes];
        ByteArrayOutputStream chosenLabels = new ByteArrayOutputStream();
        ByteArrayOutputStream chosenPixels = new ByteArrayOutputStream();
        for (int i = 0; i < Math.min(part.most, labels.length); i++) {
            if (taken[labels[i]] < part.perClass) {
                taken[labels[i]]++;
                chosenLabels.write(labels[i]);
                chosenPixels.write(pixels, i * length, length);
            }
        }
        for (int label = 0; label < classes; label++) {
            if (part.perClass < ALL && taken[label] < part.perClass) {
                throw new DataException("The file " + labelsFile + " holds " + taken[label] + " images of class "
                        + label + ", but " + part.perClass + " are needed. " + remedy);
            }
        }
        int count = chosenLabels.size();
        int[] imageHeader = {IdxFile.IMAGES_MAGIC, count, FashionMnist.SHAPE.height(), FashionMnist.SHAPE.width()};
        writeGzip(target.resolve(imagesName + ".gz"), imageHeader, chosenPixels.toByteArray());
        int[] labelHeader = {IdxFile.LABELS_MAGIC, count};
        writeGzip(target.resolve(labelsName + ".gz"), labelHeader, chosenLabels.toByteArray());
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
