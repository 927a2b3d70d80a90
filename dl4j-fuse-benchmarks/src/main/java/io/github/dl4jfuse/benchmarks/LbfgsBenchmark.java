package io.github.dl4jfuse.benchmarks;

import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One direction and one new pair, with a full history in float, and the least that they could cost. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class LbfgsBenchmark {

    private static final long SEED = 3;

    /** Number of pairs m. */
    @Param("10")
    public int memory;

    /** Number of parameters. */
    @Param("1000000")
    public int n;

    private INDArray[] gradient;
    private INDArray[] direction;
    private INDArray[] step;
    private INDArray[] change;

    /** Creates vectors with s·y &gt; 0. */
    @Setup
    public void createVectors() {
        Nd4j.getRandom().setSeed(SEED);
        gradient = new INDArray[] {Nd4j.rand(DataType.FLOAT, n).subi(0.5)};
        direction = new INDArray[] {Nd4j.zeros(DataType.FLOAT, n)};
        step = new INDArray[] {Nd4j.rand(DataType.FLOAT, n).subi(0.5)};
        change = new INDArray[] {step[0].mul(2)};
    }

    /** Memory as large as S and Y, and as much again. */
    @State(Scope.Benchmark)
    public static class Floor {
        private Pointer from;
        private Pointer to;
        private long bytes;

        /** Writes to all of it, so that it is really there. */
        @Setup
        public void allocate(LbfgsBenchmark size) {
            long elements = 2L * size.memory * size.n;
            bytes = elements * Float.BYTES;
            from = Nd4j.ones(DataType.FLOAT, elements).data().addressPointer();
            to = Nd4j.ones(DataType.FLOAT, elements).data().addressPointer();
        }
    }

    /** A full history. */
    @State(Scope.Benchmark)
    public static class Filled {
        private LbfgsHistory history;

        /** Fills it. */
        @Setup
        public void fill(LbfgsBenchmark size) {
            long elements = (long) size.memory * size.n;
            history = new LbfgsHistory(
                    size.memory,
                    new INDArray[] {Nd4j.zeros(DataType.FLOAT, elements)},
                    new INDArray[] {Nd4j.zeros(DataType.FLOAT, elements)});
            for (int i = 0; i < size.memory; i++) {
                history.update(size.step, size.change);
            }
        }
    }

    /** The recursion on whole arrays, in two styles. */
    @State(Scope.Benchmark)
    public static class Plain {
        private PlainTwoLoops elementwise;
        private PlainTwoLoops blas;

        /** Fills both. */
        @Setup
        public void fill(LbfgsBenchmark size) {
            elementwise = filled(PlainTwoLoops.ELEMENTWISE, size);
            blas = filled(PlainTwoLoops.BLAS, size);
        }

        private static PlainTwoLoops filled(PlainTwoLoops.Style style, LbfgsBenchmark size) {
            PlainTwoLoops plain = new PlainTwoLoops(style, size.memory);
            for (int i = 0; i < size.memory; i++) {
                plain.update(size.step[0], size.change[0]);
            }
            return plain;
        }
    }

    /** Copies as many bytes as S and Y hold, twice. */
    @Benchmark
    public void copyTwice(Floor floor) {
        Pointer.memcpy(floor.to, floor.from, floor.bytes);
        Pointer.memcpy(floor.to, floor.from, floor.bytes);
    }

    /** What the library does. */
    @Benchmark
    public void history(Filled filled) {
        filled.history.update(step, change);
        filled.history.direction(gradient, direction);
    }

    /** BLAS on whole arrays. */
    @Benchmark
    public void plainBlas(Plain plain) {
        plain.blas.update(step[0], change[0]);
        plain.blas.direction(gradient[0], direction[0]);
    }

    /** Elementwise operations on whole arrays. */
    @Benchmark
    public void plainElementwise(Plain plain) {
        plain.elementwise.update(step[0], change[0]);
        plain.elementwise.direction(gradient[0], direction[0]);
    }
}
