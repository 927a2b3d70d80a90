package io.github.dl4jfuse.datasets;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The files of CIFAR-10: their names, where they are found, and how they are fetched. */
final class CifarFiles extends DataSetFiles {
    static final List<String> TRAIN_BATCHES =
            List.of("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin");
    static final List<String> TEST_BATCHES = List.of("test_batch.bin");
    static final List<String> ALL_BATCHES =
            Stream.concat(TRAIN_BATCHES.stream(), TEST_BATCHES.stream()).toList();

    static final URI OFFICIAL = URI.create("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
    static final Checksum OFFICIAL_CHECKSUM = new Checksum("MD5", "c32a1d4ab5d03f1284b67883e8d87530", false);

    private final URI archive;
    private final Checksum checksum;

    /** Takes the address of the packed archive and its checksum. */
    CifarFiles(URI archive, Checksum checksum) {
        super(
                "CIFAR-10",
                "cifar10",
                List.of("cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", "cifar10", "cifar10/lossless"),
                List.of());
        this.archive = archive;
        this.checksum = checksum;
    }

    /** Returns the files at their official address. */
    static CifarFiles official() {
        return new CifarFiles(OFFICIAL, OFFICIAL_CHECKSUM);
    }

    /** Returns the names of the batches that a folder lacks. */
    static List<String> missingBatches(Path folder) {
        return ALL_BATCHES.stream().filter(batch -> !holds(folder, batch)).toList();
    }

    @Override
    List<String> missingIn(Path folder) {
        return CifarImageFolder.isIn(folder) ? List.of() : missingBatches(folder);
    }

    @Override
    String remedy(Path folder) {
        return "Get " + archive + ", unpack it and put " + String.join(", ", ALL_BATCHES) + " into the folder " + folder
                + ".";
    }

    @Override
    void downloadTo(Path folder) {
        Path packed = Download.temporaryBeside(folder.resolve("cifar-10-binary.tar.gz"));
        try {
            Download.fetch(
                    archive,
                    packed,
                    checksum,
                    "get the file by hand from that address, unpack it and put its *.bin files into the folder "
                            + folder + ".");
            CifarArchive.unpack(packed, folder, "The archive fetched from " + archive, remedy(folder));
        } finally {
            Download.deleteLeftover(packed);
        }
    }
}
