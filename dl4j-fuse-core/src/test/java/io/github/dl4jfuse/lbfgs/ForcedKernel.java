package io.github.dl4jfuse.lbfgs;

/** Until closed, histories and solvers made anew take this form whatever the backend is. */
public final class ForcedKernel implements AutoCloseable {

    public ForcedKernel(Kernel kernel) {
        Kernel.force(kernel);
    }

    /** How often several numbers were read back together so far. */
    public static long readBacks() {
        return DeviceSums.readBacks();
    }

    @Override
    public void close() {
        Kernel.force(null);
    }
}
