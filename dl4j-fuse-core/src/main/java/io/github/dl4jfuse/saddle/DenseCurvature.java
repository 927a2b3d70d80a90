package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.linalg.SymmetricEigen;
import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.ArrayList;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Value, gradient and all eigenpairs of the Hessian at a point, the largest eigenvalue first. */
final class DenseCurvature {

    final INDArray point;
    final double value;
    final double[] gradient; // in the eigenvectors
    final double gradientNorm;
    final double[] eigenvalues; // descending
    final List<INDArray> vectors;

    DenseCurvature(Objective objective, INDArray x) {
        point = x;
        INDArray g = Vectors.zerosLike(x);
        value = objective.valueAndGradient(x, g);
        objective.clearFixed(g);
        gradientNorm = Vectors.norm(g);
        int n = Math.toIntExact(objective.dimension());
        DMatrixRMaj matrix = new DMatrixRMaj(n, n);
        INDArray unit = Vectors.zerosLike(x);
        INDArray product = Vectors.zerosLike(x);
        for (int j = 0; j < n; j++) {
            unit.putScalar(j, 1);
            objective.hessianVector(x, unit, product);
            unit.putScalar(j, 0);
            double[] column = product.toDoubleVector();
            for (int i = 0; i < n; i++) {
                matrix.add(i, j, column[i] / 2);
                matrix.add(j, i, column[i] / 2);
            }
        }
        if (!isFinite(matrix) || !Double.isFinite(value) || !Double.isFinite(gradientNorm)) {
            gradient = null;
            eigenvalues = null;
            vectors = null;
            return;
        }
        SymmetricEigen eigen = new SymmetricEigen(matrix);
        eigenvalues = new double[n];
        vectors = new ArrayList<>();
        gradient = new double[n];
        for (int i = 0; i < n; i++) {
            eigenvalues[i] = eigen.values()[n - 1 - i];
            INDArray v = Nd4j.createFromArray(eigen.vectors()[n - 1 - i]).castTo(x.dataType());
            vectors.add(v);
            gradient[i] = Vectors.dot(v, g);
        }
    }

    private static boolean isFinite(DMatrixRMaj matrix) {
        for (double each : matrix.data) {
            if (!Double.isFinite(each)) {
                return false;
            }
        }
        return true;
    }

    boolean isFinite() {
        return eigenvalues != null;
    }

    double smallest() {
        return eigenvalues[eigenvalues.length - 1];
    }

    /** Returns |H|. */
    double scale() {
        return Math.max(Math.abs(eigenvalues[0]), Math.abs(smallest()));
    }

    /** Returns the global minimiser of the cubic model, in the eigenvectors in the order kept here. */
    CubicStep cubicStep(double regularisation) {
        CubicStep ascending = CubicStep.minimise(reversed(eigenvalues), reversed(gradient), regularisation);
        return new CubicStep(
                reversed(ascending.step()), ascending.length(), ascending.decrease(), ascending.hardCase());
    }

    private static double[] reversed(double[] values) {
        double[] reversed = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            reversed[i] = values[values.length - 1 - i];
        }
        return reversed;
    }

    /** Returns the point that lies the given coefficients away. */
    INDArray moved(double[] coefficients) {
        INDArray moved = point.dup();
        for (int i = 0; i < coefficients.length; i++) {
            Vectors.axpy(coefficients[i], vectors.get(i), moved);
        }
        return moved;
    }
}
