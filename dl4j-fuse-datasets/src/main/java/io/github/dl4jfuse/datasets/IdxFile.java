package io.github.dl4jfuse.datasets;

import java.util.List;

/**
 * The idx format of MNIST and Fashion-MNIST: a magic number whose last byte is the number of dimensions, one four-byte
 * size per dimension (highest byte first), then one unsigned byte per value.
 */
final class IdxFile {
    static final int LABELS_MAGIC = 0x0801;
    static final int IMAGES_MAGIC = 0x0803;

    /** More than any such set has; a header that promises more is a fault, and would be believed down to the last byte. */
    static final int MOST = 1_000_000;

    private IdxFile() {}

    /** Reads all labels of a file; each must lie below {@code classes}. */
    static byte[] readLabels(DataFile file, int classes) {
        int count = readLabelCount(file);
        int start = 2 * Integer.BYTES;
        byte[] labels = file.readExactly(count, "labels");
        file.expectEnd();
        for (int i = 0; i < count; i++) {
            if (labels[i] < 0 || labels[i] >= classes) {
                throw file.problem(start + i, "a label from 0 to " + (classes - 1), Integer.toString(labels[i] & 0xFF));
            }
        }
        return labels;
    }

    /** Reads no more than the header of a label file and returns the number of labels. */
    static int readLabelCount(DataFile file) {
        expectMagic(file, LABELS_MAGIC, "labels");
        return readCount(file, "labels", 1);
    }

    /** Reads the pixels of {@code count} grey images, no more and no fewer, each of the given height and width. */
    static byte[] readImages(DataFile file, int count, ImageShape shape) {
        expectMagic(file, IMAGES_MAGIC, "images");
        int found = readCount(file, "images", shape.length());
        if (found != count) {
            throw file.problem(Integer.BYTES, count + " images, as many as there are labels", Integer.toString(found));
        }
        int offset = 2 * Integer.BYTES;
        for (int size : List.of(shape.height(), shape.width())) {
            String what = offset == 2 * Integer.BYTES ? "rows" : "columns";
            int value = file.readInt("the number of " + what);
            if (value != size) {
                throw file.problem(offset, size + " " + what, Integer.toUnsignedString(value));
            }
            offset += Integer.BYTES;
        }
        byte[] pixels = file.readExactly(count * shape.length(), "pixels");
        file.expectEnd();
        return pixels;
    }

    private static void expectMagic(DataFile file, int magic, String what) {
        int found = file.readInt("the magic number");
        if (found != magic) {
            throw file.problem(
                    0,
                    String.format("the magic number 0x%08X of an idx file of %s", magic, what),
                    String.format("0x%08X", found));
        }
    }

    private static int readCount(DataFile file, String what, int bytesEach) {
        int count = file.readInt("the number of " + what);
        int most = Math.min(MOST, Integer.MAX_VALUE / bytesEach);
        if (count < 1 || count > most) {
            throw file.problem(
                    Integer.BYTES, "a number of " + what + " between 1 and " + most, Integer.toUnsignedString(count));
        }
        return count;
    }
}
