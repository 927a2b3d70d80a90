package io.github.dl4jfuse.examples.data;

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
 * files. The same input gives the same bytes each time, as the gzip headers hold no time.
 */
public final class FashionMnistSubset {
    private static final int TRAIN_PER_CLASS = 600;
    private static final int TEST_PER_CLASS = 100;

    private FashionMnistSubset() {}

    /**
     * Writes the four idx files of the subset, packed by gzip.
     *
     * @param args the folder that holds the full data set, and the folder to write to
     * @throws IOException if the files cannot be written
     */
    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            throw new IllegalArgumentException(
                    "Two folders are needed: the one of the full Fashion-MNIST and the one to write the subset to.");
        }
        write(Path.of(args[0]), Path.of(args[1]), TRAIN_PER_CLASS, TEST_PER_CLASS);
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
        byte[] labels;
        try (DataFile file = DataFile.open(FashionMnistFiles.locate(source, labelsName), remedy)) {
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

        int count = perClass * classes;
        int[] imageHeader = {IdxFile.IMAGES_MAGIC, count, FashionMnist.SHAPE.height(), FashionMnist.SHAPE.width()};
        writeGzip(target.resolve(imagesName + ".gz"), imageHeader, chosenPixels.toByteArray());
        writeGzip(
                target.resolve(labelsName + ".gz"),
                new int[] {IdxFile.LABELS_MAGIC, count},
                chosenLabels.toByteArray());
    }

    private static void writeGzip(Path file, int[] header, byte[] content) throws IOException {
        GzipParameters parameters = new GzipParameters();
        parameters.setCompressionLevel(Deflater.BEST_COMPRESSION);
        parameters.setModificationTime(0);
        parameters.setOS(GzipParameters.OS.UNKNOWN);
        try (DataOutputStream out =
                new DataOutputStream(new GzipCompressorOutputStream(Files.newOutputStream(file), parameters))) {
            for (int value : header) {
                out.writeInt(value);
            }
            out.write(content);
        }
    }
}
