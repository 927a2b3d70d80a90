package io.github.dl4jfuse.contract;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.nd4j.linalg.api.buffer.DataType;

/** One of the eight forms that a network of the catalogue can be made in. */
record Form(boolean graph, DataType type, WorkspaceMode workspaces) {

    static final Form PLAIN = new Form(false, DataType.FLOAT, WorkspaceMode.ENABLED);

    static final List<Form> ALL = List.of(
            PLAIN,
            new Form(true, DataType.FLOAT, WorkspaceMode.ENABLED),
            new Form(false, DataType.DOUBLE, WorkspaceMode.ENABLED),
            new Form(true, DataType.DOUBLE, WorkspaceMode.ENABLED),
            new Form(false, DataType.FLOAT, WorkspaceMode.NONE),
            new Form(true, DataType.FLOAT, WorkspaceMode.NONE),
            new Form(false, DataType.DOUBLE, WorkspaceMode.NONE),
            new Form(true, DataType.DOUBLE, WorkspaceMode.NONE));

    @Override
    public String toString() {
        return (graph ? "graph-" : "layers-")
                + type.name().toLowerCase(Locale.ROOT)
                + (workspaces == WorkspaceMode.NONE ? "-without-workspaces" : "");
    }
}
