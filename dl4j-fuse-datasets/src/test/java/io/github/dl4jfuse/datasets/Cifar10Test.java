package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

class Cifar10Test {
    @TempDir
    Path folder;

    @Test
    void readsRedGreenAndBluePlanes() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.cifarBatches());
        ImageData train = Cifar10.from(folder).train();
        DataSet batch = train.iterator(10).next();
        INDArray features = batch.getFeatures();
        assertThat(features.shape()).containsExactly(10, 3, 32, 32);
        assertThat(pixel(features, 0, 0, 0)).containsExactly(1 / 255f, 2 / 255f, 3 / 255f);
        assertThat(pixel(features, 0, 0, 1)).containsExactly(10 / 255f, 101 / 255f, 201 / 255f);
        assertThat(pixel(features, 0, 31, 31)).containsExactly(10 / 255f, 101 / 255f, 201 / 255f);
        assertThat(pixel(features, 8, 5, 7)).containsExactly(50 / 255f, 105 / 255f, 205 / 255f);
        assertThat(pixel(features, 9, 5, 7)).containsExactly(5 / 255f, 5 / 255f, 5 / 255f);

        INDArray flat = train.asFlat().iterator(10).next().getFeatures();
        assertThat(flat.shape()).containsExactly(10, 3072);
        assertThat(flat.getFloat(8, 1023)).isEqualTo(50 / 255f);
        assertThat(flat.getFloat(8, 1024)).isEqualTo(2 / 255f);
        assertThat(flat.getFloat(8, 3071)).isEqualTo(205 / 255f);
    }

    @Test
    void readsTheBatchesInTheirOrder() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.cifarBatches());
        ImageData train = Cifar10.from(folder).train();
        assertThat(FashionMnistTest.firstLabels(train, 10)).containsExactly(1, 0, 2, 1, 3, 2, 4, 3, 5, 4);
        assertThat(train.size()).isEqualTo(10);
        ImageData test = Cifar10.from(folder).test();
        assertThat(FashionMnistTest.firstLabels(test, 10)).containsExactly(9);
    }

    @Test
    void saysThatTheBatchesAreShorter() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.cifarBatches());
        ImageData train = Cifar10.from(folder).train();
        assertThat(train.name()).isEqualTo("CIFAR-10, first 10 images of the official batches");
        assertThat(train.labelNames())
                .containsExactly(
                        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");
        assertThat(Cifar10.from(folder).test().name()).isEqualTo("CIFAR-10, first 1 images of the official batches");
    }

    @Test
    void readsPackedBatchesAndBatchesOfDifferentLengths() throws IOException {
        Map<String, byte[]> files = SampleFiles.cifarBatches();
        files.put("data_batch_3.bin", SampleFiles.cifarRecord(8, 0, 0, 0));
        SampleFiles.writePacked(folder, files);
        assertThat(FashionMnistTest.firstLabels(Cifar10.from(folder).train(), 10))
                .containsExactly(1, 0, 2, 1, 8, 4, 3, 5, 4);
    }

    @Test
    void namesACompleteBatchAfterTheDataSetAlone() throws IOException {
        Map<String, byte[]> files = SampleFiles.cifarBatches();
        byte[] record = SampleFiles.cifarRecord(7, 1, 2, 3);
        byte[] complete = new byte[10_000 * record.length];
        for (int i = 0; i < 10_000; i++) {
            System.arraycopy(record, 0, complete, i * record.length, record.length);
        }
        files.put("test_batch.bin", complete);
        SampleFiles.writePlain(folder, files);
        ImageData test = Cifar10.from(folder).test();
        assertThat(test.size()).isEqualTo(10_000);
        assertThat(test.name()).isEqualTo("CIFAR-10");

        files.put("test_batch.bin", SampleFiles.concat(complete, record));
        SampleFiles.writePlain(folder, files);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder).test())
                .withMessageContaining(
                        "test_batch.bin is not as expected: at byte 30730000, expected the end of the file");
    }

    @Test
    void refusesABrokenRecord() throws IOException {
        Map<String, byte[]> files = SampleFiles.cifarBatches();
        files.put("data_batch_2.bin", Arrays.copyOf(files.get("data_batch_2.bin"), 2 * SampleFiles.CIFAR_RECORD - 1));
        SampleFiles.writePlain(folder, files);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder).train())
                .withMessageContaining(folder.resolve("data_batch_2.bin").toString())
                .withMessageContaining("at byte 3073, expected a record of 3073 bytes but found only 3072 bytes")
                .withMessageContaining("Get https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, unpack it")
                .withMessageContaining("into the folder " + folder);
    }

    @Test
    void refusesAnEmptyBatch() throws IOException {
        Map<String, byte[]> files = SampleFiles.cifarBatches();
        files.put("test_batch.bin", new byte[0]);
        SampleFiles.writePlain(folder, files);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder).test())
                .withMessageContaining("at byte 0, expected a record of 3073 bytes but found the end of the file");
    }

    @Test
    void refusesALabelOutOfRange() throws IOException {
        Map<String, byte[]> files = SampleFiles.cifarBatches();
        files.put(
                "data_batch_4.bin",
                SampleFiles.concat(SampleFiles.cifarRecord(9, 0, 0, 0), SampleFiles.cifarRecord(200, 0, 0, 0)));
        SampleFiles.writePacked(folder, files);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder).train())
                .withMessageContaining("data_batch_4.bin.gz")
                .withMessageContaining("at byte 3073 of its unpacked content, expected a label from 0 to 9")
                .withMessageContaining("but found 200");
    }

    @Test
    void refusesABrokenGzipFile() throws IOException {
        SampleFiles.writePacked(folder, SampleFiles.cifarBatches());
        Path file = folder.resolve("test_batch.bin.gz");
        byte[] packed = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(packed, packed.length / 2));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder).test())
                .withMessageContaining(file.toString())
                .withMessageContaining("damaged or missing data");
    }

    @Test
    void namesTheMissingBatches() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.cifarBatches());
        Files.delete(folder.resolve("data_batch_5.bin"));
        Files.delete(folder.resolve("test_batch.bin"));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder))
                .withMessageContaining("lacks data_batch_5.bin, test_batch.bin of CIFAR-10.");
    }

    private static float[] pixel(INDArray features, int image, int row, int column) {
        float[] values = new float[3];
        for (int channel = 0; channel < 3; channel++) {
            values[channel] = features.getFloat(image, channel, row, column);
        }
        return values;
    }
}
