package io.github.dl4jfuse.datasets;

import java.nio.file.Path;
import java.util.List;

/**
 * CIFAR-10: 50,000 training and 10,000 test photographs, 32 x 32 pixels, in colour, in ten classes.
 *
 * <p>Source: Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
 * https://www.cs.toronto.edu/~kriz/cifar.html. Its makers name no licence, so no image of it is part of this program: the
 * data set is read from a folder or fetched from its makers.
 *
 * <p>All problems with files are reported as {@link DataException}.
 */
public final class Cifar10 {
    /** The names of the ten classes; the index is the class index. */
    static final List<String> LABEL_NAMES =
            List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

    static final ImageShape SHAPE = new ImageShape(3, 32, 32);

    private final Path folder;
    private final String remedy;

    private Cifar10(Path folder, CifarFiles set) {
        this.folder = folder;
        this.remedy = set.remedy(folder);
    }

    /**
     * Returns the data set from the first of these places:
     *
     * <ol>
     *   <li>the folder named by the system property {@code dl4jfuse.data}, else by the environment variable {@code
     *       DL4J_FUSE_DATA}, or its sub-folder {@code cifar-10-batches-bin}, {@code cifar10/cifar-10-batches-bin}, {@code
     *       cifar10} or {@code cifar10/lossless}. If one is named, no other place is tried;
     *   <li>the cache folder {@code ~/.cache/dl4j-fuse/cifar10} (the system property {@code dl4jfuse.cache} names another
     *       folder in place of {@code ~/.cache/dl4j-fuse});
     *   <li>the makers' address, from which it is downloaded (170 MB), checked and unpacked into the cache folder.
     * </ol>
     *
     * <p>A folder may hold whatever {@link #from(Path)} reads, so there may be fewer images than in the whole data set;
     * {@link ImageData#name()} says so.
     *
     * @return the data set; the files are there, but their content is not read yet
     * @throws DataException if the named folder lacks the files, or the download fails
     */
    public static Cifar10 full() {
        return find(DataFolders.ofSystem(), CifarFiles.official());
    }

    /**
     * Returns the data set of a folder that holds one of these:
     *
     * <ul>
     *   <li>the official binary batches data_batch_1.bin to data_batch_5.bin and test_batch.bin, as they are or packed by
     *       gzip with the ending ".bin.gz". Each may be shorter than the official 10,000 images;
     *   <li>otherwise, image files of 32 x 32 pixels in {@code train/<class>/} and {@code test/<class>/}, ending in .png,
     *       .jpg or .jpeg, where {@code <class>} is airplane, automobile, bird, cat, deer, dog, frog, horse, ship or truck.
     * </ul>
     *
     * @param folder the folder that directly holds the files, or the folders train and test
     * @return the data set; the files are there, but their content is not read yet
     * @throws DataException if the folder or a file is missing; nothing is downloaded
     */
    public static Cifar10 from(Path folder) {
        CifarFiles set = CifarFiles.official();
        return new Cifar10(DataFolders.require(folder, set), set);
    }

    static Cifar10 find(DataFolders folders, CifarFiles set) {
        return new Cifar10(folders.find(set), set);
    }

    /**
     * Reads the training images.
     *
     * @return up to 50,000 images as [3, 32, 32], red, green, blue. Batches are in their order; image files are sorted by
     *     class and then by name, so that they should be shuffled for training
     * @throws DataException if a file is damaged
     */
    public ImageData train() {
        return read(CifarFiles.TRAIN_BATCHES, CifarImageFolder.TRAIN);
    }

    /**
     * Reads the test images.
     *
     * @return up to 10,000 images as [3, 32, 32], red, green, blue, in the same order as {@link #train()}
     * @throws DataException if a file is damaged
     */
    public ImageData test() {
        return read(CifarFiles.TEST_BATCHES, CifarImageFolder.TEST);
    }

    private ImageData read(List<String> batches, String imagePart) {
        return CifarFiles.missingBatches(folder).isEmpty()
                ? CifarBatches.read(folder, batches, remedy)
                : CifarImageFolder.read(folder, imagePart, remedy);
    }
}
