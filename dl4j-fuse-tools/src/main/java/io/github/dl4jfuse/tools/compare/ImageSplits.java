package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.Cifar10;
import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.datasets.Preprocessed;
import io.github.dl4jfuse.datasets.Standardiser;
import io.github.dl4jfuse.tools.compare.Workload.Split;

/** Fashion-MNIST and CIFAR-10, divided into training, validation and test. */
final class ImageSplits {

    static final int SIDE = 28;
    static final int CIFAR_SIDE = 32;

    private static final int CIFAR_FAST_TRAIN = 3_000;
    private static final int CIFAR_FAST_OTHERS = 1_000;

    private ImageSplits() {}

    /** Returns all images, of which the last twelfth of the training set is for validation, or the subset with its last sixth. */
    static Split fashion(boolean full, boolean asImages) {
        FashionMnist source = full ? FashionMnist.full() : FashionMnist.subset();
        ImageData train = asImages ? source.train().asImages() : source.train().asFlat();
        ImageData test = asImages ? source.test().asImages() : source.test().asFlat();
        int kept = train.size() - train.size() / (full ? 12 : 6);
        return new Split(train.range(0, kept), train.range(kept, train.size()), test);
    }

    /**
     * Returns all images, of which the last tenth of the training set is for validation. The fast form takes the first images of
     * each part of a seeded shuffle, since files may be sorted by class.
     */
    static Split cifar(boolean full) {
        Cifar10 source = Cifar10.full();
        ImageData train = source.train().shuffled(1).asImages();
        ImageData test = source.test().shuffled(1).asImages();
        int kept = full ? train.size() - train.size() / 10 : CIFAR_FAST_TRAIN;
        return new Split(
                train.range(0, kept),
                train.range(kept, full ? train.size() : kept + CIFAR_FAST_OTHERS),
                full ? test : test.range(0, CIFAR_FAST_OTHERS));
    }

    /** Returns the same with standardised channels; training images are turned, and shifted by up to so many pixels. */
    static Split augmentedCifar(boolean full, int shift) {
        Split plain = cifar(full);
        Standardiser standardiser = Standardiser.of(plain.train());
        return new Split(new Augmented(plain.train(), shift), plain.validation(), plain.test())
                .map(source -> new Preprocessed(source, standardiser));
    }
}
