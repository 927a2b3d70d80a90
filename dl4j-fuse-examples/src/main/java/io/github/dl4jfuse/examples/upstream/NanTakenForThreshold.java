package io.github.dl4jfuse.examples.upstream;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Reproduces: an array multiplied by a scalar that is NaN becomes 1e-5 times what it was. See docs/upstream.md. */
public final class NanTakenForThreshold {

    private NanTakenForThreshold() {}

    public static void main(String[] args) {
        System.out.println("ones(3).muli(Double.NaN):           "
                + Nd4j.ones(DataType.FLOAT, 3).muli(Double.NaN));
        System.out.println("ones(3).addi(Double.NaN):           "
                + Nd4j.ones(DataType.FLOAT, 3).addi(Double.NaN));
        System.out.println("ones(3).muli(an array of NaN):      "
                + Nd4j.ones(DataType.FLOAT, 3).muli(Nd4j.createFromArray(Float.NaN, Float.NaN, Float.NaN)));
    }
}
