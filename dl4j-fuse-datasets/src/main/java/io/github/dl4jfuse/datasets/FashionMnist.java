package io.github.dl4jfuse.datasets;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 x 28 pixels, grey, in ten classes.
 *
 * <p>Source: Zalando Research, https://github.com/zalandoresearch/fashion-mnist, (c) 2017 Zalando SE, under the MIT
 * licence. A subset lies in this program's jar, together with the licence.
 *
 * <p>All problems with files are reported as {@link DataException}.
 */
public final class FashionMnist {
    /** The names of the ten classes; the index is the class index. */
    static final List<String> LABEL_NAMES = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    static final ImageShape SHAPE = new ImageShape(1, 28, 28);

    private static final String SUBSET_FOLDER = "fashion-mnist-subset/";
    private static final String SUBSET_REMEDY =
            "The file is part of this program's jar, so build the jar anew or fetch it again.";
    private static final int FULL_TRAIN = 60_000;
    private static final int FULL_TEST = 10_000;

    private final Function<String, DataFile> files;
    private final Runnable partCheck;

    private FashionMnist(Function<String, DataFile> files, Runnable partCheck) {
        this.files = files;
        this.partCheck = partCheck;
    }

    /**
     * Returns the subset that lies in the jar: the first 600 training and the first 100 test images of each class, in the
     * order of the original files, 6,000 and 1,000 images in all. Needs neither network nor disk.
     *
     * @return the subset; nothing is read yet
     */
    public static FashionMnist subset() {
        return new FashionMnist(name -> DataFile.ofResource(SUBSET_FOLDER + name + ".gz", SUBSET_REMEDY), () -> {});
    }

    /**
     * Returns the data set from the first of these places:
     *
     * <ol>
     *   <li>the folder named by the system property {@code dl4jfuse.data}, else by the environment variable {@code
     *       DL4J_FUSE_DATA}, or its sub-folder {@code fashion-mnist}. If one is named, no other place is tried;
     *   <li>{@code /usr/share/datasets/fashion-mnist}, where Debian's package dataset-fashion-mnist puts it;
     *   <li>the cache folder {@code ~/.cache/dl4j-fuse/fashion-mnist} (the system property {@code dl4jfuse.cache} names
     *       another folder in place of {@code ~/.cache/dl4j-fuse});
     *   <li>the makers' address, from which it is downloaded (30 MB) and checked into the cache folder.
     * </ol>
     *
     * @return the data set; the files are there, but their content is not read yet
     * @throws DataException if the named folder lacks the files, or the download fails
     */
    public static FashionMnist full() {
        return find(DataFolders.ofSystem(), FashionMnistFiles.official());
    }

    /**
     * Returns the data set of a folder that holds the four idx files of Fashion-MNIST under their original names, unpacked
     * or with the ending ".gz". They may also hold fewer images, as those of the subset do. The part of the first {@value
     * FashionMnistFiles#PART_TRAIN} training images and the whole test set has a name and checksums of its own, so that a
     * result says what it was made from.
     *
     * @param folder the folder that directly holds the files
     * @return the data set; the files are there, but their content is not read yet
     * @throws DataException if the folder or a file is missing; nothing is downloaded
     */
    public static FashionMnist from(Path folder) {
        FashionMnistFiles set = FashionMnistFiles.official();
        return in(DataFolders.require(folder, set), set);
    }

    static FashionMnist find(DataFolders folders, FashionMnistFiles set) {
        return in(folders.find(set), set);
    }

    private static FashionMnist in(Path folder, FashionMnistFiles set) {
        String remedy = set.remedy(folder);
        return new FashionMnist(
                name -> DataFile.open(FashionMnistFiles.locate(folder, name), remedy),
                () -> FashionMnistFiles.verifyPart(folder));
    }

    private boolean isPart() {
        return count(FashionMnistFiles.TRAIN_LABELS) == FashionMnistFiles.PART_TRAIN
                && count(FashionMnistFiles.TEST_LABELS) == FULL_TEST;
    }

    /**
     * Reads the training images.
     *
     * @return 60,000 images, or fewer of a subset, in the order of the files; pixels as [1, 28, 28], grey, 0 is background
     * @throws DataException if a file is damaged, or of the size of that part and not that part
     */
    public ImageData train() {
        return read(FashionMnistFiles.TRAIN_IMAGES, FashionMnistFiles.TRAIN_LABELS);
    }

    /**
     * Reads the test images.
     *
     * @return 10,000 images, or fewer of a subset, in the order of the files; pixels as [1, 28, 28], grey, 0 is background
     * @throws DataException if a file is damaged, or of the size of that part and not that part
     */
    public ImageData test() {
        return read(FashionMnistFiles.TEST_IMAGES, FashionMnistFiles.TEST_LABELS);
    }

    private ImageData read(String imagesName, String labelsName) {
        if (isPart()) {
            partCheck.run();
        }
        byte[] labels;
        try (DataFile file = files.apply(labelsName)) {
            labels = IdxFile.readLabels(file, LABEL_NAMES.size());
        }
        byte[] pixels;
        try (DataFile file = files.apply(imagesName)) {
            pixels = IdxFile.readImages(file, labels.length, SHAPE);
        }
        return new ImageData(name(), SHAPE, LABEL_NAMES, pixels, labels);
    }

    private String name() {
        if (isPart()) {
            return String.format(Locale.ROOT, "Fashion-MNIST, first %,d training images", FashionMnistFiles.PART_TRAIN);
        }
        int train = count(FashionMnistFiles.TRAIN_LABELS);
        int test = count(FashionMnistFiles.TEST_LABELS);
        return train == FULL_TRAIN && test == FULL_TEST
                ? "Fashion-MNIST"
                : String.format(Locale.ROOT, "Fashion-MNIST, %,d/%,d subset", train, test);
    }

    private int count(String labelsName) {
        try (DataFile file = files.apply(labelsName)) {
            return IdxFile.readLabelCount(file);
        }
    }
}
