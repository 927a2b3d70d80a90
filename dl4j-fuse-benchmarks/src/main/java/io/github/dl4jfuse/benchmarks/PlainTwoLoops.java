package io.github.dl4jfuse.benchmarks;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The two-loop recursion as one writes it down with whole arrays, newest pair first. */
final class PlainTwoLoops {

    /** How products and sums of vectors are formed. */
    interface Style {
        double dot(INDArray a, INDArray b);

        /** Adds factor x to target. */
        void add(double factor, INDArray x, INDArray target);
    }

    /** {@code mul(..).sumNumber()} and {@code addi(..)}, as in ND4J's tutorials. */
    static final Style ELEMENTWISE = new Style() {
        @Override
        public double dot(INDArray a, INDArray b) {
            return a.mul(b).sumNumber().doubleValue();
        }

        @Override
        public void add(double factor, INDArray x, INDArray target) {
            target.addi(x.mul(factor));
        }
    };

    /** BLAS by way of ND4J's wrapper. */
    static final Style BLAS = new Style() {
        @Override
        public double dot(INDArray a, INDArray b) {
            return Nd4j.getBlasWrapper().dot(a, b);
        }

        @Override
        public void add(double factor, INDArray x, INDArray target) {
            Nd4j.getBlasWrapper().level1().axpy(x.length(), factor, x, target);
        }
    };

    private record Pair(INDArray s, INDArray y, double rho) {}

    private final Style style;
    private final int memory;
    private final Deque<Pair> pairs = new ArrayDeque<>();

    PlainTwoLoops(Style style, int memory) {
        this.style = style;
        this.memory = memory;
    }

    void update(INDArray step, INDArray change) {
        INDArray s;
        INDArray y;
        if (pairs.size() == memory) {
            Pair oldest = pairs.removeLast();
            s = oldest.s.assign(step);
            y = oldest.y.assign(change);
        } else {
            s = step.dup();
            y = change.dup();
        }
        pairs.addFirst(new Pair(s, y, 1 / style.dot(s, y)));
    }

    void direction(INDArray gradient, INDArray direction) {
        gradient.muli(-1, direction);
        double[] alpha = new double[pairs.size()];
        int k = 0;
        for (Pair pair : pairs) {
            alpha[k] = pair.rho * style.dot(pair.s, direction);
            style.add(-alpha[k], pair.y, direction);
            k++;
        }
        Pair newest = pairs.getFirst();
        direction.muli(1 / (newest.rho * style.dot(newest.y, newest.y)));
        for (Iterator<Pair> oldest = pairs.descendingIterator(); oldest.hasNext(); ) {
            Pair pair = oldest.next();
            k--;
            style.add(alpha[k] - pair.rho * style.dot(pair.y, direction), pair.s, direction);
        }
    }
}
