package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FashionMnistSubsetTest {
    @TempDir
    Path folder;

    private Path source;

    @BeforeEach
    void writeSource() throws IOException {
        source = folder.resolve("source");
        Map<String, byte[]> files = SampleFiles.fashionMnist();
        files.put(
                "train-labels-idx1-ubyte",
                SampleFiles.idxLabels(5, 5, 5, 0, 1, 2, 3, 4, 6, 7, 8, 9, 9, 8, 7, 6, 4, 3, 2, 1, 0, 0));
        files.put("train-images-idx3-ubyte", SampleFiles.idxImages(22, 28, 28));
        files.put("t10k-labels-idx1-ubyte", SampleFiles.idxLabels(9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0));
        files.put("t10k-images-idx3-ubyte", SampleFiles.idxImages(11, 28, 28));
        SampleFiles.writePlain(source, files);
    }

    @Test
    void takesTheFirstImagesOfEachClassInFileOrder() throws IOException {
        Path target = folder.resolve("target");
        FashionMnistSubset.write(source, target, 2, 1);
        ImageData train = FashionMnist.from(target).train();
        assertThat(train.name()).isEqualTo("Fashion-MNIST, 20/10 subset");
        assertThat(FashionMnistTest.firstLabels(train, 20))
                .containsExactly(5, 5, 0, 1, 2, 3, 4, 6, 7, 8, 9, 9, 8, 7, 6, 4, 3, 2, 1, 0);
        float[] firstPixels =
                train.asFlat().iterator(20).next().getFeatures().getColumn(0).toFloatVector();
        assertThat(firstPixels[1]).isEqualTo(1 / 255f);
        assertThat(firstPixels[2]).as("the third image of class 5 is left out").isEqualTo(3 / 255f);
        assertThat(firstPixels[19]).isEqualTo(20 / 255f);
        assertThat(FashionMnistTest.firstLabels(FashionMnist.from(target).test(), 10))
                .containsExactly(9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    }

    @Test
    void writesTheSameBytesEachTime() throws IOException {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        FashionMnistSubset.write(source, first, 2, 1);
        FashionMnistSubset.write(source, second, 2, 1);
        assertThat(SampleFiles.namesIn(first)).hasSize(4).isEqualTo(SampleFiles.namesIn(second));
        for (String name : SampleFiles.namesIn(first)) {
            byte[] bytes = Files.readAllBytes(first.resolve(name));
            assertThat(Files.readAllBytes(second.resolve(name))).isEqualTo(bytes);
            assertThat(bytes).startsWith(0x1f, 0x8b, 8, 0, 0, 0, 0, 0);
        }
    }

    @Test
    void refusesASourceWithTooFewImages() {
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> FashionMnistSubset.write(source, folder.resolve("target"), 3, 1))
                .withMessageContaining("train-labels-idx1-ubyte holds 2 images of class 1, but 3 are needed.");
    }

    @Test
    void needsTwoFolders() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FashionMnistSubset.main(new String[] {"one"}))
                .withMessageStartingWith("Two folders are needed");
    }

    @Test
    void takesTheFirstTrainingImagesAndAllTestImages() throws IOException {
        Path target = folder.resolve("target");
        FashionMnistSubset.writeFirst(source, target, 4);
        ImageData train = FashionMnist.from(target).train();
        assertThat(train.size()).isEqualTo(4);
        assertThat(FashionMnistTest.firstLabels(train, 4)).containsExactly(5, 5, 5, 0);
        assertThat(FashionMnistTest.firstLabels(FashionMnist.from(target).test(), 11))
                .containsExactly(9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0);
    }

    @Test
    void refusesFilesOfThePartsSizeThatAreNotThePart() throws IOException {
        Path target = folder.resolve("impostor");
        Map<String, byte[]> files = SampleFiles.fashionMnist();
        files.put("train-labels-idx1-ubyte", SampleFiles.idxLabels(new int[FashionMnistFiles.PART_TRAIN]));
        files.put("t10k-labels-idx1-ubyte", SampleFiles.idxLabels(new int[10_000]));
        SampleFiles.writePlain(target, files);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> FashionMnist.from(target).train())
                .withMessageContaining("first 20000 training images, but train-images-idx3-ubyte is another")
                .withMessageContaining("instead of ");
    }
}
