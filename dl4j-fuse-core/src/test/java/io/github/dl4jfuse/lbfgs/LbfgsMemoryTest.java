package io.github.dl4jfuse.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.objective.Objective;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The bytes that are reported against the arrays that a run holds. */
class LbfgsMemoryTest {

    private static final int N = 1_000;
    private static final int STEPS = 25;

    /** Sums the memory of all arrays reachable from an object of this package, views counted once. */
    private static final class Walk {

        private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        private long bytes;

        void visit(Object object) throws IllegalAccessException {
            if (object == null) {
                return;
            }
            if (object instanceof INDArray array) {
                DataBuffer buffer = array.data().originalDataBuffer() == null
                        ? array.data()
                        : array.data().originalDataBuffer();
                if (seen.add(buffer)) {
                    bytes += buffer.length() * array.dataType().width();
                }
            } else if (seen.add(object) && object.getClass().isArray()) {
                if (object instanceof double[] numbers) {
                    bytes += (long) numbers.length * Double.BYTES;
                } else if (!object.getClass().getComponentType().isPrimitive()) {
                    for (int i = 0; i < Array.getLength(object); i++) {
                        visit(Array.get(object, i));
                    }
                }
            } else if (object.getClass().getPackage() == Walk.class.getPackage()
                    && !object.getClass().isEnum()) {
                for (Field field : object.getClass().getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())
                            && !field.getType().isPrimitive()) {
                        field.setAccessible(true);
                        visit(field.get(object));
                    }
                }
            }
        }
    }

    private static Objective quadratic(DataType type) {
        return new Objective(N, type) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                gradient.assign(point.mul(Nd4j.linspace(1, 100, N, type)));
                return Nd4j.getBlasWrapper().dot(point, gradient) / 2;
            }
        };
    }

    @ParameterizedTest
    @CsvSource({
        "DOUBLE, STRONG_WOLFE, false", "FLOAT, STRONG_WOLFE, false", "FLOAT, ARMIJO, false",
        "DOUBLE, STRONG_WOLFE, true", "FLOAT, STRONG_WOLFE, true", "FLOAT, ARMIJO, true"
    })
    void reportedBytesAreThoseHeld(DataType type, LbfgsSolver.Search search, boolean bfloat16) {
        int memory = 4;
        LbfgsRun[] run = new LbfgsRun[1];
        long[] held = new long[1];
        LbfgsSolver.Builder builder = LbfgsSolver.builder()
                .memory(memory)
                .search(search)
                .bfloat16History(bfloat16)
                .gradientTolerance(0)
                .relativeDecreaseTolerance(0)
                .maxIterations(STEPS)
                .progress(step -> {
                    Walk walk = new Walk();
                    try {
                        walk.visit(run[0]);
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                    held[0] = Math.max(held[0], walk.bytes);
                });
        run[0] = new LbfgsRun(builder, quadratic(type), Nd4j.ones(type, N));
        Minimum minimum = run[0].minimise();
        assertThat(minimum.iterations()).as("%s", minimum).isGreaterThan(2 * memory);
        long gram = 2L * memory * memory * Double.BYTES;
        if (bfloat16) {
            assertThat(minimum.bytes()).isEqualTo(2L * memory * N * 2 + 8L * N * type.width() + gram);
            // The third chunk lives within a direction only.
            assertThat(held[0]).isEqualTo(minimum.bytes() - (long) N * type.width());
        } else {
            assertThat(minimum.bytes()).isEqualTo((2L * memory + 3) * N * type.width() + gram);
            assertThat(held[0]).isEqualTo(minimum.bytes());
        }
    }

    @Test
    void theBestPointKeepsNoOtherMemoryAlive() {
        Minimum minimum = LbfgsSolver.minimize(quadratic(DataType.FLOAT), Nd4j.ones(DataType.FLOAT, N));
        assertThat(minimum.point().isView()).isFalse();
        assertThat(minimum.point().data().length()).isEqualTo(N);
    }

    @Test
    void muchMemoryIsSaidAndLittleIsNot() {
        assertThat(MemoryNote.of("All of it", 101L << 20, 1000L << 20))
                .contains("All of it takes 101 MB of the 1,000 MB that are free.");
        assertThat(MemoryNote.of("All of it", 100L << 20, 1000L << 20)).isEmpty();
    }
}
