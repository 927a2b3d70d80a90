package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.AsyncDataSetIterator;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

class ImageDataSetIteratorTest {
    private static final int COUNT = 23;
    private static final ImageShape SHAPE = new ImageShape(3, 2, 4);
    private static final List<String> NAMES = List.of("a", "b", "c");

    private final ImageData data = sample();

    /** Image i has the value i in its first pixel; its value v is (i + 7 v) modulo 256; its label is i modulo 3. */
    private static ImageData sample() {
        byte[] pixels = new byte[COUNT * SHAPE.length()];
        byte[] labels = new byte[COUNT];
        for (int i = 0; i < COUNT; i++) {
            labels[i] = (byte) (i % 3);
            for (int v = 0; v < SHAPE.length(); v++) {
                pixels[i * SHAPE.length() + v] = (byte) (i + 7 * v);
            }
        }
        return new ImageData("sample", SHAPE, NAMES, pixels, labels);
    }

    @Test
    void describesItself() {
        assertThat(data.name()).isEqualTo("sample");
        assertThat(data.size()).isEqualTo(COUNT);
        assertThat(data.numClasses()).isEqualTo(3);
        assertThat(data.labelNames()).isEqualTo(NAMES);
        assertThat(List.of(data.channels(), data.height(), data.width())).containsExactly(3, 2, 4);
        DataSetIterator iterator = data.iterator(5);
        assertThat(iterator.resetSupported()).isTrue();
        assertThat(iterator.asyncSupported()).isTrue();
        assertThat(iterator.batch()).isEqualTo(5);
        assertThat(iterator.totalOutcomes()).isEqualTo(3);
        assertThat(iterator.inputColumns()).isEqualTo(24);
        assertThat(iterator.getLabels()).isEqualTo(NAMES);
    }

    @Test
    void deliversImagesByDefaultAndFlatOnesOnDemand() {
        assertThat(data.iterator(5).next().getFeatures().shape()).containsExactly(5, 3, 2, 4);
        assertThat(data.asFlat().iterator(5).next().getFeatures().shape()).containsExactly(5, 24);
        assertThat(data.asFlat().asImages().iterator(5).next().getFeatures().shape())
                .containsExactly(5, 3, 2, 4);
        assertThat(data.asFlat().iterator(5).next().getLabels().shape()).containsExactly(5, 3);
    }

    @Test
    void scalesBytesToTheUnitInterval() {
        byte[] pixels = {0, 1, 127, (byte) 128, (byte) 254, (byte) 255};
        ImageData one = new ImageData("one", new ImageShape(1, 2, 3), NAMES, pixels, new byte[] {2});
        DataSet batch = one.asFlat().iterator(1).next();
        assertThat(batch.getFeatures().dataType()).isEqualTo(DataType.FLOAT);
        assertThat(batch.getFeatures().toFloatVector())
                .containsExactly(0f, 1f / 255f, 127f / 255f, 128f / 255f, 254f / 255f, 1f);
    }

    @Test
    void ordersValuesByChannelRowAndColumn() {
        DataSet images = data.iterator(2).next();
        DataSet flat = data.asFlat().iterator(2).next();
        for (int c = 0; c < 3; c++) {
            for (int h = 0; h < 2; h++) {
                for (int w = 0; w < 4; w++) {
                    int v = (c * 2 + h) * 4 + w;
                    float expected = (1 + 7 * v) / 255f;
                    assertThat(images.getFeatures().getFloat(1, c, h, w)).isEqualTo(expected);
                    assertThat(flat.getFeatures().getFloat(1, v)).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void makesOneHotLabels() {
        DataSet batch = data.iterator(4).next();
        assertThat(batch.getLabels().dataType()).isEqualTo(DataType.FLOAT);
        assertThat(batch.getLabels().toFloatMatrix())
                .isDeepEqualTo(new float[][] {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 0, 0}});
    }

    @Test
    void keepsFileOrderWithoutASeedInEachEpoch() {
        DataSetIterator iterator = data.iterator(5);
        List<Integer> inOrder = IntStream.range(0, COUNT).boxed().toList();
        assertThat(epoch(iterator)).isEqualTo(inOrder);
        iterator.reset();
        assertThat(epoch(iterator)).isEqualTo(inOrder);
    }

    @Test
    void deliversEachImageOncePerEpochWithItsLabel() {
        DataSetIterator iterator = data.iterator(5, 42);
        for (int i = 0; i < 3; i++) {
            assertThat(epoch(iterator))
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.range(0, COUNT).boxed().toList());
            iterator.reset();
        }
    }

    @Test
    void deliversTheShorterLastBatch() {
        DataSetIterator iterator = data.iterator(5, 42);
        List<Integer> sizes = new ArrayList<>();
        iterator.forEachRemaining(batch -> sizes.add(batch.numExamples()));
        assertThat(sizes).containsExactly(5, 5, 5, 5, 3);
    }

    @Test
    void takesABatchLargerThanTheData() {
        assertThat(data.iterator(1000).next().numExamples()).isEqualTo(COUNT);
    }

    @Test
    void shufflesAnewInEachEpoch() {
        DataSetIterator iterator = data.iterator(5, 42);
        List<List<Integer>> epochs = epochs(iterator, 4);
        assertThat(epochs).doesNotHaveDuplicates();
        assertThat(epochs).doesNotContain(IntStream.range(0, COUNT).boxed().toList());
    }

    @Test
    void givesEachImageTheSameChanceOfAPlace() {
        DataSetIterator iterator = data.iterator(1, 42);
        int[] timesFirst = new int[COUNT];
        for (int i = 0; i < 100 * COUNT; i++) {
            timesFirst[firstPixels(iterator.next()).get(0)]++;
            iterator.reset();
        }
        for (int times : timesFirst) {
            assertThat(times).isBetween(60, 140);
        }
    }

    @Test
    void repeatsTheOrdersOfASeedWhateverTheBatchSize() {
        List<List<Integer>> epochs = epochs(data.iterator(5, 42), 3);
        assertThat(epochs(data.iterator(5, 42), 3)).isEqualTo(epochs);
        assertThat(epochs(data.asFlat().iterator(8, 42), 3)).isEqualTo(epochs);
        assertThat(epochs(data.iterator(5, 43), 3)).doesNotContainAnyElementsOf(epochs);
    }

    @Test
    void beginsTheNextEpochOnAResetMidway() {
        List<List<Integer>> epochs = epochs(data.iterator(5, 42), 3);
        DataSetIterator iterator = data.iterator(5, 42);
        iterator.next();
        iterator.next();
        iterator.reset();
        assertThat(epoch(iterator)).isEqualTo(epochs.get(1));
        iterator.reset();
        assertThat(epoch(iterator)).isEqualTo(epochs.get(2));
    }

    @Test
    void deliversAsManyAsAskedForOnce() {
        DataSetIterator iterator = data.iterator(5);
        assertThat(firstPixels(iterator.next(2))).containsExactly(0, 1);
        assertThat(firstPixels(iterator.next())).containsExactly(2, 3, 4, 5, 6);
        assertThat(firstPixels(iterator.next(100))).hasSize(16);
        assertThat(iterator.hasNext()).isFalse();
    }

    @Test
    void saysWhenTheEpochIsOver() {
        DataSetIterator iterator = data.iterator(COUNT);
        iterator.next();
        assertThat(iterator.hasNext()).isFalse();
        assertThatExceptionOfType(NoSuchElementException.class)
                .isThrownBy(iterator::next)
                .withMessage("All 23 images have been delivered; call reset() to begin the next epoch.");
    }

    @Test
    void refusesABatchSizeBelowOne() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.iterator(0))
                .withMessage("The batch size must be at least 1, but is 0.");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.iterator(-3, 1))
                .withMessage("The batch size must be at least 1, but is -3.");
        DataSetIterator iterator = data.iterator(5);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> iterator.next(0))
                .withMessage("The batch size must be at least 1, but is 0.");
    }

    @Test
    void appliesThePreProcessorToEachBatch() {
        DataSetPreProcessor plusOne = batch -> batch.getFeatures().addi(1);
        DataSetIterator iterator = data.iterator(5);
        assertThat(iterator.getPreProcessor()).isNull();
        iterator.setPreProcessor(plusOne);
        assertThat(iterator.getPreProcessor()).isSameAs(plusOne);
        assertThat(iterator.next().getFeatures().getFloat(0, 0, 0, 0)).isEqualTo(1f);
        assertThat(data.iterator(5).next().getFeatures().getFloat(0, 0, 0, 0)).isEqualTo(0f);
    }

    @Test
    void canBeFetchedInTheBackground() {
        List<List<Integer>> expected = epochs(data.iterator(5, 42), 2);
        AsyncDataSetIterator background = new AsyncDataSetIterator(data.iterator(5, 42), 2, false);
        assertThat(epoch(background)).isEqualTo(expected.get(0));
        background.reset();
        assertThat(epoch(background)).isEqualTo(expected.get(1));
        background.shutdown();
    }

    @Test
    void goesOnAfterSerialization() throws IOException, ClassNotFoundException {
        DataSetIterator original = data.iterator(5, 42);
        original.next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(original);
        }
        DataSetIterator copy;
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            copy = (DataSetIterator) in.readObject();
        }
        assertThat(epoch(copy)).hasSize(18).isEqualTo(epoch(original));
        copy.reset();
        original.reset();
        assertThat(epoch(copy)).isEqualTo(epoch(original));
    }

    @Test
    void someClassesAreCountedFromZeroAndKeepTheirOrder() {
        ImageData some = data.ofClasses(1, 3);
        assertThat(some.labelNames()).isEqualTo(NAMES.subList(1, 3));
        int kept = 0;
        DataSetIterator all = some.iterator(1);
        for (int i = 0; i < COUNT; i++) {
            if (i % 3 > 0) {
                DataSet image = all.next();
                assertThat(Math.round(image.getFeatures().getFloat(0) * 255f)).isEqualTo(i);
                assertThat(image.getLabels().toFloatVector())
                        .isEqualTo(i % 3 == 1 ? new float[] {1, 0} : new float[] {0, 1});
                kept++;
            }
        }
        assertThat(some.size()).isEqualTo(kept);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.ofClasses(1, 4))
                .withMessage("Classes 1 to 4 are no range of 3 classes.");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.range(0, 1).ofClasses(1, 3))
                .withMessageContaining("no images of the classes");
    }

    @Test
    void refusesDataThatDoesNotFitTogether() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageData("bad", SHAPE, NAMES, new byte[23], new byte[1]))
                .withMessageContaining("24 values each")
                .withMessageContaining("there are 23 values");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageData("bad", SHAPE, NAMES, new byte[24], new byte[] {3}))
                .withMessage("A label must lie between 0 and 2, but is 3.");
    }

    private List<List<Integer>> epochs(DataSetIterator iterator, int count) {
        List<List<Integer>> epochs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            epochs.add(epoch(iterator));
            iterator.reset();
        }
        return epochs;
    }

    /** Returns the indices of the images that are left in the epoch, as told by their first pixel. */
    private List<Integer> epoch(DataSetIterator iterator) {
        List<Integer> indices = new ArrayList<>();
        while (iterator.hasNext()) {
            indices.addAll(firstPixels(iterator.next()));
        }
        return indices;
    }

    private List<Integer> firstPixels(DataSet batch) {
        List<Integer> indices = new ArrayList<>();
        for (int i = 0; i < batch.numExamples(); i++) {
            float value = batch.getFeatures().rank() == 2
                    ? batch.getFeatures().getFloat(i, 0)
                    : batch.getFeatures().getFloat(i, 0, 0, 0);
            int index = Math.round(value * 255f);
            assertThat(batch.getLabels().getFloat(i, index % 3)).isEqualTo(1f);
            indices.add(index);
        }
        return indices;
    }
}
