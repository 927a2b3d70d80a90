package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.datasets.FixedBatches;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Images of one lit pixel in each channel, at (2, 3) and (2, 4) of 5 x 7. */
class AugmentedTest {

    private static final int EXAMPLES = 400;

    private static DataSet images() {
        INDArray features = Nd4j.zeros(EXAMPLES, 2, 5, 7);
        for (int i = 0; i < EXAMPLES; i++) {
            features.putScalar(new int[] {i, 0, 2, 3}, 1);
            features.putScalar(new int[] {i, 1, 2, 4}, 2);
        }
        return new DataSet(features, Nd4j.ones(EXAMPLES, 1));
    }

    private static final DataSource AUGMENTED = new Augmented(new Copies(FixedBatches.whole(images())), 1);

    /** Gives new arrays, as images from files do. */
    private record Copies(DataSource source) implements DataSource {
        @Override
        public int size() {
            return source.size();
        }

        @Override
        public DataSetIterator iterator(int batchSize) {
            return source.iterator(batchSize);
        }

        @Override
        public DataSetIterator iterator(int batchSize, long seed) {
            DataSet copy = source.iterator(batchSize).next().copy();
            return FixedBatches.whole(copy).iterator(batchSize, seed);
        }
    }

    private static INDArray seeded(long seed) {
        return AUGMENTED.iterator(EXAMPLES, seed).next().getFeatures();
    }

    @Test
    void allShiftsAndBothSidesComeAndChannelsStayTogether() {
        INDArray changed = seeded(1);
        Set<List<Integer>> seen = new HashSet<>();
        for (int i = 0; i < EXAMPLES; i++) {
            List<Integer> first = lit(changed, i, 0);
            List<Integer> second = lit(changed, i, 1);
            assertThat(second.get(0)).as("row of the other channel").isEqualTo(first.get(0));
            int apart = second.get(1) - first.get(1);
            assertThat(Math.abs(apart)).isOne();
            seen.add(List.of(first.get(0), first.get(1), apart));
        }
        assertThat(seen).as("3 x 3 places, turned or not").hasSize(18);
        assertThat(changed.sumNumber().doubleValue()).isEqualTo(3.0 * EXAMPLES);
    }

    private static List<Integer> lit(INDArray images, int example, int channel) {
        List<Integer> found = new ArrayList<>();
        for (int y = 0; y < 5; y++) {
            for (int x = 0; x < 7; x++) {
                if (images.getDouble(example, channel, y, x) > 0) {
                    found.addAll(List.of(y, x));
                }
            }
        }
        assertThat(found).as("one lit pixel").hasSize(2);
        return found;
    }

    @Test
    void equalSeedsMakeEqualChangesInEveryEpoch() {
        DataSetIterator one = AUGMENTED.iterator(EXAMPLES, 1);
        DataSetIterator same = AUGMENTED.iterator(EXAMPLES, 1);
        assertThat(one.next()).isEqualTo(same.next());
        one.reset();
        same.reset();
        assertThat(one.next()).isEqualTo(same.next());
        assertThat(seeded(2)).isNotEqualTo(seeded(1));
    }

    @Test
    void imagesForMeasuringStayAsTheyAre() {
        assertThat(AUGMENTED.iterator(EXAMPLES).next()).isEqualTo(images());
    }
}
