package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.network.NetworkParameter;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The columns of the output Jacobian that belong to one layer; its rows stand example by example. */
interface JacobianBlock {

    /** Adds the block's share of D D', n by n, row by row. */
    void addGram(double[] gram, int n);

    /** Adds the block's share of D v. */
    void addPush(INDArray v, INDArray image);

    /** Writes the block's part of D' u; u is [n, 1]. */
    void pull(INDArray u, INDArray target);

    /** Writes the block's columns of D, [n, K]. */
    void fill(INDArray jacobian);

    /** Sorts a stack of cotangents by example: from [Q b, ..] to [b, Q, ..]. */
    static INDArray byExample(INDArray stack, int examples) {
        long[] shape = stack.shape();
        long outputs = shape[0] / examples;
        long rest = stack.length() / shape[0];
        INDArray sorted =
                stack.reshape('c', outputs, examples, rest).permute(1, 0, 2).dup('c');
        long[] target = new long[shape.length + 1];
        target[0] = examples;
        target[1] = outputs;
        System.arraycopy(shape, 1, target, 2, shape.length - 1);
        return sorted.reshape('c', target);
    }

    /** Returns A A' in double precision. */
    private static INDArray gramOf(INDArray a) {
        return Nd4j.gemm(a, a, false, true).castTo(DataType.DOUBLE); // mmul would copy the transposed
    }

    /**
     * A dense layer: row (i, c) is the outer product of its input a_i, with a 1 for the bias, and its cotangent d_ic. So
     * D D' is (a_i · a_j + 1) (d_ic · d_je), and nothing as large as the layer's weights times n is ever formed.
     */
    final class Dense implements JacobianBlock {

        private final INDArray inputs; // [b, nIn]
        private final INDArray cotangents; // [n, nOut]
        private final NetworkParameter weights;
        private final NetworkParameter bias;
        private final long examples;
        private final long outputs;

        Dense(INDArray inputs, INDArray stack, NetworkParameter weights, NetworkParameter bias) {
            this.inputs = inputs;
            this.weights = weights;
            this.bias = bias;
            examples = inputs.size(0);
            outputs = stack.size(0) / examples;
            cotangents = byExample(stack, (int) examples).reshape('c', stack.size(0), stack.size(1));
        }

        @Override
        public void addGram(double[] gram, int n) {
            INDArray inputProducts = weights == null ? null : gramOf(inputs);
            INDArray cotangentProducts = gramOf(cotangents);
            // A row of each at a time: all of both would be garbage of 2 n² numbers.
            double[] ofInputs = new double[(int) examples];
            double[] ofCotangents = new double[n];
            int ofBias = bias == null ? 0 : 1;
            int q = (int) outputs;
            for (int row = 0; row < n; row++) {
                HostArrays.copyRow(cotangentProducts, row, ofCotangents);
                if (inputProducts != null) {
                    HostArrays.copyRow(inputProducts, row / q, ofInputs);
                }
                for (int j = 0, at = 0; j < examples; j++) {
                    double factor = ofInputs[j] + ofBias;
                    for (int e = 0; e < q; e++, at++) {
                        gram[row * n + at] += factor * ofCotangents[at];
                    }
                }
            }
        }

        @Override
        public void addPush(INDArray v, INDArray image) {
            INDArray change = null; // of the pre-activations, [b, nOut]
            if (weights != null) {
                change = inputs.mmul(shaped(weights, v));
            }
            if (bias != null) {
                INDArray ofBias = bias.slice(v).reshape('c', 1, cotangents.size(1));
                change = change == null ? ofBias.repeat(0, examples) : change.addiRowVector(ofBias);
            }
            image.addi(cotangents
                    .reshape('c', examples, outputs, cotangents.size(1))
                    .mul(change.reshape('c', examples, 1, cotangents.size(1)))
                    .sum(2)
                    .reshape('c', image.shape()));
        }

        @Override
        public void pull(INDArray u, INDArray target) {
            INDArray summed = cotangents
                    .mulColumnVector(u)
                    .reshape('c', examples, outputs, cotangents.size(1))
                    .sum(1); // [b, nOut]
            if (weights != null) {
                shaped(weights, target).assign(Nd4j.gemm(inputs, summed, true, false));
            }
            if (bias != null) {
                bias.slice(target).assign(summed.sum(0));
            }
        }

        @Override
        public void fill(INDArray jacobian) {
            long q = outputs;
            for (long row = 0; row < jacobian.size(0); row++) {
                INDArray target = jacobian.slice(row);
                INDArray cotangent = cotangents.slice(row).reshape('c', 1, cotangents.size(1));
                if (weights != null) {
                    shaped(weights, target)
                            .assign(inputs.slice(row / q)
                                    .reshape('c', inputs.size(1), 1)
                                    .mmul(cotangent));
                }
                if (bias != null) {
                    bias.slice(target).assign(cotangent.reshape(cotangent.length()));
                }
            }
        }

        private static INDArray shaped(NetworkParameter parameter, INDArray flat) {
            INDArray values = parameter.values();
            return parameter.slice(flat).reshape(values.ordering(), values.shape());
        }
    }

    /** A block that is written out, for layers with few parameters. */
    final class Rows implements JacobianBlock {

        private final List<INDArray> parts; // [n, parameters]
        private final List<NetworkParameter> parameters; // null where not trained

        Rows(List<INDArray> parts, List<NetworkParameter> parameters) {
            this.parts = parts;
            this.parameters = parameters;
        }

        @Override
        public void addGram(double[] gram, int n) {
            for (int k = 0; k < parts.size(); k++) {
                if (parameters.get(k) != null) {
                    double[] share = HostArrays.ofSymmetric(gramOf(parts.get(k)));
                    for (int i = 0; i < gram.length; i++) {
                        gram[i] += share[i];
                    }
                }
            }
        }

        @Override
        public void addPush(INDArray v, INDArray image) {
            for (int k = 0; k < parts.size(); k++) {
                if (parameters.get(k) != null) {
                    INDArray slice = parameters.get(k).slice(v);
                    image.addi(parts.get(k).mmul(slice.reshape('c', slice.length(), 1)));
                }
            }
        }

        @Override
        public void pull(INDArray u, INDArray target) {
            for (int k = 0; k < parts.size(); k++) {
                if (parameters.get(k) != null) {
                    INDArray product = parts.get(k).transpose().mmul(u);
                    parameters.get(k).slice(target).assign(product.reshape(product.length()));
                }
            }
        }

        @Override
        public void fill(INDArray jacobian) {
            for (int k = 0; k < parts.size(); k++) {
                NetworkParameter parameter = parameters.get(k);
                if (parameter != null) {
                    jacobian.get(
                                    org.nd4j.linalg.indexing.NDArrayIndex.all(),
                                    org.nd4j.linalg.indexing.NDArrayIndex.interval(parameter.from(), parameter.to()))
                            .assign(parts.get(k));
                }
            }
        }
    }

    /** Copies u into an [n, 1] array. */
    static INDArray column(double[] u, DataType type) {
        return org.nd4j.linalg.factory.Nd4j.createFromArray(u).castTo(type).reshape('c', u.length, 1);
    }
}
