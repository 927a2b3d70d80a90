package io.github.dl4jfuse.datasets;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The four files of Fashion-MNIST: their names, where they are found, and how they are fetched. */
final class FashionMnistFiles extends DataSetFiles {
    static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
    static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
    static final String TEST_IMAGES = "t10k-images-idx3-ubyte";
    static final String TEST_LABELS = "t10k-labels-idx1-ubyte";

    /** The folder of the data set's makers. */
    static final URI OFFICIAL = URI.create("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/");

    /** The SHA-256 of each file's unpacked content. */
    static final Map<String, String> OFFICIAL_SHA_256 = officialChecksums();

    /** Training images of the part that {@link FashionMnistSubset} makes to be carried where the whole is too large. */
    static final int PART_TRAIN = 20_000;

    /** The SHA-256 of the unpacked training files of that part; its test files are the official ones. */
    static final Map<String, String> PART_SHA_256 = Map.of(
            TRAIN_IMAGES, "f675812a188eaff57e6cc99252d4b1fa2d27bc3e00cec09f67474894e24358ad",
            TRAIN_LABELS, "c1d29b30febfce7b7c5d4dfc17d6ab9f9f8e49101ae51e79e3b24d5df6a1317e");

    private static final Path DEBIAN_PACKAGE = Path.of("/usr/share/datasets/fashion-mnist");

    private final URI base;
    private final Map<String, String> sha256;

    /** Takes the address of the folder that holds the files, and the checksum of each. */
    FashionMnistFiles(URI base, Map<String, String> sha256, List<Path> installedFolders) {
        super("Fashion-MNIST", "fashion-mnist", List.of("fashion-mnist"), installedFolders);
        this.base = base;
        this.sha256 = sha256;
    }

    /** Returns the files at their official address. */
    static FashionMnistFiles official() {
        return new FashionMnistFiles(OFFICIAL, OFFICIAL_SHA_256, List.of(DEBIAN_PACKAGE));
    }

    private static Map<String, String> officialChecksums() {
        Map<String, String> checksums = new LinkedHashMap<>();
        checksums.put(TRAIN_IMAGES, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888");
        checksums.put(TRAIN_LABELS, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9");
        checksums.put(TEST_IMAGES, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b");
        checksums.put(TEST_LABELS, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34");
        return checksums;
    }

    /** Fails unless the folder holds the part of {@value #PART_TRAIN} training images. */
    static void verifyPart(Path folder) {
        Map<String, String> sha256 = new LinkedHashMap<>(OFFICIAL_SHA_256);
        sha256.putAll(PART_SHA_256);
        sha256.forEach((name, expected) -> {
            Path file = locate(folder, name);
            try {
                new Checksum("SHA-256", expected, file.toString().endsWith(".gz")).verify(file);
            } catch (IOException e) {
                throw new DataException(
                        "The folder " + folder + " has as many images as the part of Fashion-MNIST with the first "
                                + PART_TRAIN + " training images, but " + file.getFileName() + " is another: "
                                + e.getMessage() + ". Make the part anew with FashionMnistSubset.",
                        e);
            }
        });
    }

    @Override
    List<String> missingIn(Path folder) {
        return OFFICIAL_SHA_256.keySet().stream()
                .filter(name -> !holds(folder, name))
                .map(name -> name + ".gz")
                .toList();
    }

    @Override
    String remedy(Path folder) {
        return "Get " + TRAIN_IMAGES + ".gz, " + TRAIN_LABELS + ".gz, " + TEST_IMAGES + ".gz and " + TEST_LABELS
                + ".gz from " + base + " and put them, packed or unpacked, into the folder " + folder + ".";
    }

    @Override
    void downloadTo(Path folder) {
        for (String file : missingIn(folder)) {
            String name = file.substring(0, file.length() - ".gz".length());
            Download.fetch(
                    base.resolve(file),
                    folder.resolve(file),
                    new Checksum("SHA-256", sha256.get(name), true),
                    "get the file by hand from that address and put it into the folder " + folder + ".");
        }
    }
}
