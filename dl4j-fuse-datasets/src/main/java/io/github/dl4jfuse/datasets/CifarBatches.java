package io.github.dl4jfuse.datasets;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The binary batches of CIFAR-10: records of one label byte, 1,024 red, 1,024 green and 1,024 blue bytes, row by row. */
final class CifarBatches {
    /** The number of images in a complete batch. */
    static final int IMAGES_PER_BATCH = 10_000;

    private static final int VALUES = Cifar10.SHAPE.length();
    static final int RECORD = 1 + VALUES;

    private CifarBatches() {}

    /** Reads the named batches one after the other; each may be shorter than a complete one. */
    static ImageData read(Path folder, List<String> batches, String remedy) {
        byte[] labels = new byte[batches.size() * IMAGES_PER_BATCH];
        byte[] pixels = new byte[0];
        int count = 0;
        for (int i = 0; i < batches.size(); i++) {
            byte[] records;
            try (DataFile file = DataFile.open(CifarFiles.locate(folder, batches.get(i)), remedy)) {
                records = file.readAtMost(IMAGES_PER_BATCH * RECORD, "records of " + RECORD + " bytes");
                file.expectEnd();
                check(file, records);
            }
            int added = records.length / RECORD;
            pixels = Arrays.copyOf(pixels, (count + added) * VALUES);
            for (int j = 0; j < added; j++) {
                labels[count + j] = records[j * RECORD];
                System.arraycopy(records, j * RECORD + 1, pixels, (count + j) * VALUES, VALUES);
            }
            count += added;
        }
        String name = count == labels.length
                ? "CIFAR-10"
                : String.format(Locale.ROOT, "CIFAR-10, first %,d images of the official batches", count);
        return new ImageData(name, Cifar10.SHAPE, Cifar10.LABEL_NAMES, pixels, Arrays.copyOf(labels, count));
    }

    private static void check(DataFile file, byte[] records) {
        int rest = records.length % RECORD;
        if (rest != 0 || records.length == 0) {
            throw file.problem(
                    records.length - rest,
                    "a record of " + RECORD + " bytes",
                    rest == 0 ? "the end of the file" : "only " + rest + " bytes");
        }
        int classes = Cifar10.LABEL_NAMES.size();
        for (int offset = 0; offset < records.length; offset += RECORD) {
            if (records[offset] < 0 || records[offset] >= classes) {
                throw file.problem(
                        offset, "a label from 0 to " + (classes - 1), Integer.toString(records[offset] & 0xFF));
            }
        }
    }
}
