package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.Chunks;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Vectors longer than a chunk, in one piece and in several, against the two-loop recursion on Java arrays. */
class ChunksTest {

    private static final long SEED = 11;
    private static final int CHUNK = Chunks.CPU_LENGTH;
    private static final int MEMORY = 3;
    private static final int PAIRS = 5;

    private final Random random = new Random(SEED);

    /** The lengths of the pieces, named by how they stand to a chunk. */
    private static int[] lengths(String pieces) {
        return switch (pieces) {
            case "one less" -> new int[] {CHUNK - 1};
            case "equal" -> new int[] {CHUNK};
            case "one more" -> new int[] {CHUNK + 1};
            case "three and some" -> new int[] {3 * CHUNK + 17};
            case "several" -> new int[] {5, CHUNK + 1, CHUNK, 2 * CHUNK + 3, 1};
            default -> throw new IllegalArgumentException(pieces);
        };
    }

    private static INDArray[] cut(double[] values, int[] lengths, DataType type) {
        INDArray[] pieces = new INDArray[lengths.length];
        int from = 0;
        for (int b = 0; b < lengths.length; b++) {
            pieces[b] = Nd4j.createFromArray(Arrays.copyOfRange(values, from, from + lengths[b]))
                    .castTo(type);
            from += lengths[b];
        }
        return pieces;
    }

    private static double[] join(INDArray[] pieces) {
        return Nd4j.concat(0, pieces).castTo(DataType.DOUBLE).toDoubleVector();
    }

    private static INDArray[] rows(int[] lengths, DataType type) {
        return IntStream.of(lengths)
                .mapToObj(n -> Nd4j.zeros(type, (long) MEMORY * n))
                .toArray(INDArray[]::new);
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void add(double factor, double[] x, double[] target) {
        for (int i = 0; i < x.length; i++) {
            target[i] += factor * x[i];
        }
    }

    /** Nocedal, Wright, algorithm 7.4; newest pair first. */
    static double[] twoLoops(Deque<double[][]> pairs, double[] g) {
        double[] q = Arrays.stream(g).map(v -> -v).toArray();
        double[] alpha = new double[pairs.size()];
        int k = 0;
        for (double[][] pair : pairs) {
            alpha[k] = dot(pair[0], q) / dot(pair[0], pair[1]);
            add(-alpha[k++], pair[1], q);
        }
        double[][] newest = pairs.getFirst();
        double gamma = dot(newest[0], newest[1]) / dot(newest[1], newest[1]);
        double[] r = Arrays.stream(q).map(v -> gamma * v).toArray();
        for (Iterator<double[][]> oldest = pairs.descendingIterator(); oldest.hasNext(); ) {
            double[][] pair = oldest.next();
            double beta = dot(pair[1], r) / dot(pair[0], pair[1]);
            add(alpha[--k] - beta, pair[0], r);
        }
        return r;
    }

    private double[] gaussian(int n) {
        return random.doubles(n, -1, 1).toArray();
    }

    static double relativeError(double[] actual, double[] expected) {
        double[] difference = actual.clone();
        add(-1, expected, difference);
        return Math.sqrt(dot(difference, difference) / dot(expected, expected));
    }

    @ParameterizedTest
    @CsvSource({
        "one less, FLOAT", "equal, FLOAT", "one more, FLOAT", "three and some, FLOAT", "several, FLOAT",
        "one less, DOUBLE", "equal, DOUBLE", "one more, DOUBLE", "three and some, DOUBLE", "several, DOUBLE"
    })
    void directionAndRestoredDirectionEqualThoseOfPlainLoops(String pieces, DataType type) {
        int[] lengths = lengths(pieces);
        int n = IntStream.of(lengths).sum();
        double tolerance = type == DataType.FLOAT ? 2e-6 : 1e-12;
        INDArray[] s = rows(lengths, type);
        INDArray[] y = rows(lengths, type);
        LbfgsHistory history = new LbfgsHistory(MEMORY, s, y);
        Deque<double[][]> pairs = new ArrayDeque<>();
        double[] curvatures =
                random.doubles(n, 0.1, type == DataType.FLOAT ? 1 : 10).toArray();
        for (int k = 0; k < PAIRS; k++) {
            INDArray[] step = cut(gaussian(n), lengths, type);
            double[] stepTaken = join(step);
            double[] product = new double[n];
            Arrays.setAll(product, i -> curvatures[i] * stepTaken[i]);
            INDArray[] change = cut(product, lengths, type);
            assertThat(history.update(step, change)).isEqualTo(LbfgsHistory.Outcome.KEPT);
            pairs.addFirst(new double[][] {stepTaken, join(change)});
            if (pairs.size() > MEMORY) {
                pairs.removeLast();
            }
            if (k == 1) {
                continue; // two pairs at once for the next direction
            }
            INDArray[] g = cut(gaussian(n), lengths, type);
            INDArray[] p = BlockVectors.zerosLike(g);
            history.direction(g, p);
            assertThat(relativeError(join(p), twoLoops(pairs, join(g))))
                    .as("relative error with %d pairs, seed %d", k + 1, SEED)
                    .isLessThan(tolerance);
            LbfgsHistory restored = new LbfgsHistory(MEMORY, dup(s), dup(y));
            restored.restore(history.size(), history.nextSlot());
            INDArray[] q = BlockVectors.zerosLike(g);
            restored.direction(g, q);
            assertThat(Arrays.equals(join(q), join(p)))
                    .as("restored history gives the same bits, seed %d", SEED)
                    .isTrue();
        }
    }

    private static INDArray[] dup(INDArray[] pieces) {
        return Arrays.stream(pieces).map(INDArray::dup).toArray(INDArray[]::new);
    }

    @Test
    void chunksAreViewsThatCoverEveryElementOnce() {
        INDArray[] pieces =
                Arrays.stream(lengths("several")).mapToObj(n -> Nd4j.zeros(n)).toArray(INDArray[]::new);
        INDArray[] chunks = Chunks.of(pieces);
        for (INDArray chunk : chunks) {
            chunk.addi(1);
        }
        assertThat(join(pieces)).containsOnly(1);
        if (Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU) {
            assertThat(chunks).allMatch(chunk -> chunk.length() <= CHUNK).hasSize(8);
        } else {
            assertThat(chunks).isSameAs(pieces);
        }
        assertThat(BlockVectors.length(chunks)).isEqualTo(BlockVectors.length(pieces));
    }

    @Test
    void aPairKeptAfterAllWereForgottenStandsAlone() {
        double[] values = gaussian(CHUNK + 1);
        INDArray s = Nd4j.createFromArray(values);
        LbfgsHistory history = new LbfgsHistory(
                MEMORY, rows(new int[] {CHUNK + 1}, DataType.DOUBLE), rows(new int[] {CHUNK + 1}, DataType.DOUBLE));
        history.update(new INDArray[] {s}, new INDArray[] {s.mul(7)});
        history.update(new INDArray[] {s}, new INDArray[] {s.mul(5)});
        history.clear();
        history.update(new INDArray[] {s}, new INDArray[] {s.mul(4)});
        INDArray p = Nd4j.zeros(DataType.DOUBLE, CHUNK + 1);
        history.direction(new INDArray[] {s}, new INDArray[] {p});
        assertThat(p.get(NDArrayIndex.interval(0, 3)).toDoubleVector())
                .containsExactly(Arrays.stream(values, 0, 3).map(v -> -v / 4).toArray(), within(1e-12));
    }
}
