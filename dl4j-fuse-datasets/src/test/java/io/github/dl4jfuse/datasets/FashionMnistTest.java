package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;

class FashionMnistTest {
    @TempDir
    Path folder;

    @Test
    void shipsTheSubset() {
        ImageData train = FashionMnist.subset().train();
        ImageData test = FashionMnist.subset().test();
        assertThat(train.name()).isEqualTo("Fashion-MNIST, 6,000/1,000 subset");
        assertThat(test.name()).isEqualTo("Fashion-MNIST, 6,000/1,000 subset");
        assertThat(train.size()).isEqualTo(6_000);
        assertThat(test.size()).isEqualTo(1_000);
        assertThat(countPerClass(train)).containsOnly(600).hasSize(10);
        assertThat(countPerClass(test)).containsOnly(100).hasSize(10);
        assertThat(train.labelNames()).startsWith("T-shirt/top").endsWith("Ankle boot");
        assertThat(train.iterator(64, 1).next().getFeatures().shape()).containsExactly(64, 1, 28, 28);
        assertThat(train.asFlat().iterator(64, 1).next().getFeatures().shape()).containsExactly(64, 784);
    }

    @Test
    void beginsTheSubsetLikeTheFullFiles() {
        assertThat(firstLabels(FashionMnist.subset().train(), 8)).containsExactly(9, 0, 0, 3, 0, 2, 7, 2);
        assertThat(firstLabels(FashionMnist.subset().test(), 8)).containsExactly(9, 2, 1, 1, 6, 1, 4, 6);
    }

    @Test
    void pinsTheContentOfTheSubset() throws IOException {
        assertThat(contentSha256("train-images-idx3-ubyte"))
                .isEqualTo("cf313073c7eb485392848071d5c433571d7166043e971e3345b095cc30518084");
        assertThat(contentSha256("train-labels-idx1-ubyte"))
                .isEqualTo("097b93fbcf9bd5bc648b1a457ddc55c9e4ab49afb33f9ecae8ce068399a75e3a");
        assertThat(contentSha256("t10k-images-idx3-ubyte"))
                .isEqualTo("7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef");
        assertThat(contentSha256("t10k-labels-idx1-ubyte"))
                .isEqualTo("3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909");
    }

    @Test
    void shipsTheLicenceWithTheSubset() throws IOException {
        try (InputStream in = FashionMnist.class.getResourceAsStream("fashion-mnist-subset/LICENSE")) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .contains("The MIT License (MIT)", "2017 Zalando SE, https://tech.zalando.com");
        }
    }

    @Test
    void readsAFolderOfPlainFiles() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.fashionMnist());
        checkSample(FashionMnist.from(folder));
    }

    @Test
    void readsAFolderOfPackedFiles() throws IOException {
        SampleFiles.writePacked(folder, SampleFiles.fashionMnist());
        checkSample(FashionMnist.from(folder));
    }

    private static void checkSample(FashionMnist set) {
        ImageData train = set.train();
        assertThat(train.name()).isEqualTo("Fashion-MNIST, 15/5 subset");
        assertThat(firstLabels(train, 15)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4);
        DataSet batch = train.iterator(15).next();
        assertThat(batch.getFeatures().getFloat(14, 0, 0, 0)).isEqualTo(14 / 255f);
        assertThat(batch.getFeatures().getFloat(14, 0, 1, 2)).isEqualTo((14 + 28 + 2) / 255f);
        ImageData test = set.test();
        assertThat(test.name()).isEqualTo("Fashion-MNIST, 15/5 subset");
        assertThat(firstLabels(test, 5)).containsExactly(9, 8, 7, 6, 5);
    }

    @Test
    void namesTheFileThatDoesNotFitTheOther() throws IOException {
        Map<String, byte[]> files = SampleFiles.fashionMnist();
        files.put("train-images-idx3-ubyte", SampleFiles.idxImages(14, 28, 28));
        SampleFiles.writePlain(folder, files);
        FashionMnist set = FashionMnist.from(folder);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(set::train)
                .withMessageContaining(folder.resolve("train-images-idx3-ubyte").toString())
                .withMessageContaining("at byte 4, expected 15 images, as many as there are labels but found 14")
                .withMessageContaining("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")
                .withMessageContaining("into the folder " + folder);
        assertThat(set.test().size()).isEqualTo(5);
    }

    @Test
    void refusesImagesOfAnotherSize() throws IOException {
        Map<String, byte[]> files = SampleFiles.fashionMnist();
        files.put("t10k-images-idx3-ubyte", SampleFiles.idxImages(5, 32, 32));
        SampleFiles.writePlain(folder, files);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> FashionMnist.from(folder).test())
                .withMessageContaining("t10k-images-idx3-ubyte")
                .withMessageContaining("at byte 8, expected 28 rows but found 32");
    }

    @Test
    void namesTheMissingFiles() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.fashionMnist());
        Files.delete(folder.resolve("train-labels-idx1-ubyte"));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> FashionMnist.from(folder))
                .withMessageContaining("The folder " + folder + " lacks train-labels-idx1-ubyte.gz of Fashion-MNIST.")
                .withMessageContaining("Get train-images-idx3-ubyte.gz");
    }

    @Test
    void refusesAFolderThatIsNotThere() {
        Path nowhere = folder.resolve("nowhere");
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> FashionMnist.from(nowhere))
                .withMessageContaining("The folder " + nowhere + " does not exist or is no folder.");
    }

    private static int[] countPerClass(ImageData data) {
        int[] count = new int[data.numClasses()];
        for (int i = 0; i < data.size(); i++) {
            count[data.label(i)]++;
        }
        return count;
    }

    /** Reads the labels from a batch, as a network would get them. */
    static int[] firstLabels(ImageData data, int count) {
        return Arrays.stream(data.iterator(count).next().getLabels().toFloatMatrix())
                .mapToInt(row -> IntStream.range(0, row.length)
                        .filter(i -> row[i] == 1f)
                        .findFirst()
                        .orElse(-1))
                .toArray();
    }

    private static String contentSha256(String name) throws IOException {
        try (InputStream in = FashionMnist.class.getResourceAsStream("fashion-mnist-subset/" + name + ".gz");
                InputStream content = DataFile.unpack(in)) {
            return SampleFiles.digest("SHA-256", content.readAllBytes());
        }
    }
}
